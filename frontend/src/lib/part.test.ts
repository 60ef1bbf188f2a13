import { describe, expect, it } from "vitest";
import { fetchPart } from "./part";

describe("a part that comes later", () => {
  it("is asked for again while the server is away", async () => {
    let asked = 0;
    const part = await fetchPart(async () => {
      asked++;
      if (asked < 3) throw new TypeError("Failed to fetch dynamically imported module");
      return "editor";
    }, 1);
    expect([part, asked]).toEqual(["editor", 3]);
  });
  it("is given up after a bounded number of tries, with the reason", async () => {
    let asked = 0;
    const never = fetchPart(async () => {
      asked++;
      throw new Error("away");
    }, 0);
    await expect(never).rejects.toThrow("away");
    expect(asked).toBe(40);
  });
});
