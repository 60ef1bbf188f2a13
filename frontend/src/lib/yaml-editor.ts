/** CodeMirror as the lesson needs it: YAML, one marked line, three keys. Loaded only when a file is opened. */
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { pageNonce } from "./nonce";

export interface EditorOptions {
  text: string;
  readOnly: boolean;
  label: string;
  changed: (text: string) => void;
  apply: () => void;
  save: () => void;
}

export interface YamlEditor {
  text: () => string;
  /** Brings the cursor to a line (from 1); null only focuses. */
  goTo: (line: number | null) => void;
  /** Puts other text in; one step to undo. */
  replace: (text: string) => void;
  /** Marks one place, or takes the mark away. */
  mark: (problem: { line: number; column: number | null; text: string } | null) => void;
  destroy: () => void;
}

const COLOURS = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--k8s-ink)" },
  { tag: [tags.string, tags.content], color: "var(--ink)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--ready)" },
  { tag: [tags.comment, tags.lineComment], color: "var(--ink3)", fontStyle: "italic" },
  { tag: [tags.punctuation, tags.separator, tags.bracket], color: "var(--ink2)" },
  { tag: [tags.invalid], color: "var(--fault)" },
]);

const LOOK = EditorView.theme({
  "&": { height: "100%", font: "var(--t-code)", backgroundColor: "var(--panel)", color: "var(--ink)" },
  ".cm-scroller": { fontFamily: "var(--f-mono)", lineHeight: "20px", scrollbarWidth: "thin" },
  ".cm-content": { caretColor: "var(--ink)", padding: "6px 0" },
  "&.cm-focused": { outline: "none" },
  ".cm-cursor": { borderLeftColor: "var(--ink)", borderLeftWidth: "2px" },
  ".cm-gutters": { backgroundColor: "var(--panel)", color: "var(--ink3)", border: "0", paddingLeft: "6px" },
  ".cm-activeLine, .cm-activeLineGutter": {
    backgroundColor: "color-mix(in srgb, var(--k8s-tint) 45%, transparent)",
  },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--k8s-tint) !important",
  },
  ".cm-tooltip": {
    backgroundColor: "var(--panel)",
    border: "1px solid var(--edge)",
    borderRadius: "6px",
    color: "var(--ink)",
  },
  ".cm-diagnostic-error": {
    borderLeft: "3px solid var(--fault)",
    padding: "5px 10px",
    font: "var(--t-small)",
  },
  ".cm-lintRange-error": { backgroundImage: "none", borderBottom: "2px solid var(--fault)" },
});

export function makeEditor(parent: HTMLElement, options: EditorOptions): YamlEditor {
  const call = (work: () => void) => () => {
    work();
    return true;
  };
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: options.text,
      extensions: [
        EditorView.cspNonce.of(pageNonce()),
        lineNumbers(),
        lintGutter(),
        history(),
        drawSelection(),
        highlightActiveLine(),
        highlightActiveLineGutter(),
        indentUnit.of("  "),
        yaml(),
        syntaxHighlighting(COLOURS),
        LOOK,
        EditorState.readOnly.of(options.readOnly),
        EditorView.contentAttributes.of({
          "aria-label": options.label,
          tabindex: "0",
          spellcheck: "false",
          autocapitalize: "off",
        }),
        keymap.of([
          { key: "Mod-Enter", run: call(options.apply), preventDefault: true },
          { key: "Mod-s", run: call(options.save), preventDefault: true },
          indentWithTab,
          ...historyKeymap,
          ...defaultKeymap,
        ]),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) options.changed(update.state.doc.toString());
        }),
      ],
    }),
  });
  return {
    text: () => view.state.doc.toString(),
    goTo: (line) => {
      if (line !== null) {
        const at = view.state.doc.line(Math.min(Math.max(1, line), view.state.doc.lines));
        view.dispatch({
          selection: { anchor: at.to },
          effects: EditorView.scrollIntoView(at.from, { y: "center" }),
        });
      }
      view.focus();
    },
    replace: (text) => {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
      view.focus();
    },
    mark: (problem) => {
      view.dispatch(setDiagnostics(view.state, problem ? [diagnosticOf(view.state, problem)] : []));
    },
    destroy: () => view.destroy(),
  };
}

function diagnosticOf(
  state: EditorState,
  problem: { line: number; column: number | null; text: string },
): Diagnostic {
  const line = state.doc.line(Math.min(Math.max(1, problem.line), state.doc.lines));
  const indent = line.text.search(/\S/);
  const wanted = problem.column !== null ? problem.column - 1 : Math.max(0, indent);
  const from = Math.min(line.from + wanted, line.to);
  return { from: from === line.to ? line.from : from, to: line.to, severity: "error", message: problem.text };
}
