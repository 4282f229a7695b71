import { useFormat } from "~/i18n/format";

interface Props {
  at: string | Date;
  /** "3 minutes ago" instead of the moment, which the title then shows. */
  ago?: boolean;
}

/** A moment in the reader's own zone and language; nobody has to know UTC. */
export function Moment({ at, ago }: Props) {
  const format = useFormat();
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return <span>–</span>;
  return (
    <time dateTime={date.toISOString()} title={`${format.moment(date)} (${date.toISOString()})`}>
      {ago ? format.ago(date) : format.moment(date)}
    </time>
  );
}
