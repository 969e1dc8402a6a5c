import { drawSamples } from "../model/price-history";

/** The last 10 minutes of a price. A gap is a band with a dashed line, never a line that joins its two sides. */
export function Sparkline({ samples, width, height, className }: SparklineProps) {
  const { path, gaps, end } = drawSamples(samples, width, height);
  return (
    <svg className={className} viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      {gaps.map(({ from, to }) => (
        <g key={from}>
          <rect className="void" x={from} y="0" width={to - from} height={height} />
          <line className="void-line" x1={from} x2={to} y1={height / 2} y2={height / 2} />
        </g>
      ))}
      <path d={path} />
      {end && <path className="end" d={`M${end.x} ${end.y}h0`} strokeLinecap="round" />}
    </svg>
  );
}

interface SparklineProps {
  samples: number[];
  width: number;
  height: number;
  className: string;
}
