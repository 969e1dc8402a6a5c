import { useEffect, useRef } from "react";

/** What the keys of the page do. */
export interface KeyActions {
  search: () => void;
  move: (step: 1 | -1) => void;
  open: () => void;
  sort: () => void;
  help: () => void;
  escape: () => void;
}

/** Call an action for each key of the page, except while the user types in a field or a dialog is open. */
export function useKeys(actions: KeyActions): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const action = actionOf(event, latest.current);
      if (action) {
        event.preventDefault();
        action();
      }
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}

function actionOf(event: KeyboardEvent, actions: KeyActions): (() => void) | undefined {
  const target = event.target instanceof Element ? event.target : null;
  if (event.ctrlKey || event.metaKey || event.altKey || target?.closest("dialog")) {
    return undefined;
  }
  if (event.key === "Escape") {
    return actions.escape;
  }
  if (target?.closest("input, select, textarea")) {
    return event.key === "Enter" && target.closest("input") ? actions.open : undefined;
  }
  if (event.key === "Enter" && target?.closest("button, summary, a")) {
    return undefined;
  }
  const keys: Record<string, () => void> = {
    "/": actions.search,
    j: () => actions.move(1),
    k: () => actions.move(-1),
    Enter: actions.open,
    s: actions.sort,
    "?": actions.help,
  };
  return keys[event.key];
}
