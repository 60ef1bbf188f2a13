import { describe, expect, it } from "vitest";
import { findIn } from "./find";

const ALL = [
  { key: "component/scheduler", title: "Scheduler" },
  { key: "workload/1", title: "Deployment storefront" },
  { key: "node/worker-1", title: "Node worker-1" },
  { key: "pod/a", title: "Pod storefront-7c9d8-x2k9p" },
  { key: "pod/b", title: "Pod storefront-7c9d8-4tq7m" },
  { key: "service/storefront", title: "Service storefront" },
];
const keys = (query: string): string[] => findIn(ALL, query).map((one) => one.key);

describe("finding an object", () => {
  it("finds a Pod by its last letters, a kind and a name together", () => {
    expect(keys("4tq")).toEqual(["pod/b"]);
    expect(keys("service store")).toEqual(["service/storefront"]);
    expect(keys("POD")).toEqual(["pod/a", "pod/b"]);
  });
  it("puts names that begin with the word before names that only hold it", () => {
    expect(keys("s")[0]).toBe("component/scheduler");
    expect(keys("er")).toEqual(["component/scheduler", "node/worker-1", "service/storefront"]);
  });
  it("lists all without a word and nothing for a word nobody bears", () => {
    expect(keys("")).toHaveLength(ALL.length);
    expect(keys("ingress")).toEqual([]);
  });
  it("never lists more than can be read at a glance", () => {
    const many = Array.from({ length: 40 }, (_, i) => ({ key: `pod/${i}`, title: `Pod web-${i}` }));
    expect(findIn(many, "web")).toHaveLength(8);
  });
});
