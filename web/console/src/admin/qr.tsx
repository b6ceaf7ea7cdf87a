import { type ReactNode, useEffect, useState } from "react";

/** Modules of light around the code that readers need. */
const QUIET = 4;

/** One path of squares: an image's address would need a looser content security policy. */
async function outline(text: string): Promise<{ size: number; path: string }> {
  const { default: qrcode } = await import("qrcode-generator");
  const code = qrcode(0, "M");
  code.addData(text);
  code.make();
  const size = code.getModuleCount();
  let path = "";
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      if (code.isDark(row, column)) path += `M${column + QUIET} ${row + QUIET}h1v1h-1z`;
    }
  }
  return { size: size + 2 * QUIET, path };
}

/** A QR code; always dark on white, whatever the theme. */
export function QrCode(props: { text: string; label: string }): ReactNode {
  const { text, label } = props;
  const [drawn, setDrawn] = useState<{ size: number; path: string } | null>(null);
  useEffect(() => {
    let isCurrent = true;
    void outline(text).then((result) => {
      if (isCurrent) setDrawn(result);
    });
    return () => {
      isCurrent = false;
    };
  }, [text]);
  if (drawn === null) return null;
  return (
    <svg
      className="qr"
      viewBox={`0 0 ${drawn.size} ${drawn.size}`}
      role="img"
      aria-label={label}
      shapeRendering="crispEdges"
      data-testid="qr"
    >
      <rect width={drawn.size} height={drawn.size} fill="#fff" />
      <path d={drawn.path} fill="#000" />
    </svg>
  );
}
