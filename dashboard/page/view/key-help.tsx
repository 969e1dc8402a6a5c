import { useEffect, useRef } from "react";

const KEYS: [string, string][] = [
  ["/", "Search for a symbol"],
  ["j", "Next symbol"],
  ["k", "Previous symbol"],
  ["Enter", "Open the selected symbol"],
  ["s", "Sort: worst first, or by symbol"],
  ["?", "Show these keys"],
  ["Escape", "Close, or clear the search"],
];

/** The list of keys, in a dialog. */
export function KeyHelp({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby="keys-title" onClose={onClose}>
      <h2 id="keys-title">Keys</h2>
      <dl>
        {KEYS.map(([key, action]) => (
          <KeyLine key={key} name={key} action={action} />
        ))}
      </dl>
      <button type="button" onClick={onClose}>
        Close
      </button>
    </dialog>
  );
}

function KeyLine({ name, action }: { name: string; action: string }) {
  return (
    <>
      <dt>
        <kbd>{name}</kbd>
      </dt>
      <dd>{action}</dd>
    </>
  );
}
