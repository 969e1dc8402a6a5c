/** Whether the page is hidden. Outside a browser it is always visible. */
export const visibility = {
  isHidden: (): boolean => typeof document !== "undefined" && document.hidden,

  /** Call `action` after each change, until the function that this returns is called. */
  subscribe(action: () => void): () => void {
    if (typeof document === "undefined") {
      return () => {};
    }
    document.addEventListener("visibilitychange", action);
    return () => document.removeEventListener("visibilitychange", action);
  },
};
