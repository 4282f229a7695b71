import { Text, UnstyledButton } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type ReactNode, useMemo, useRef, useState } from "react";
import { PARTS } from "~/i18n/catalogues";
import { useWords } from "~/i18n/words";
import { IconChevronDown, IconChevronUp } from "~/parts/icons";
import classes from "./DataTable.module.css";

export interface Column<T> {
  key: string;
  title: string;
  cell: (row: T) => ReactNode;
  /** By what it is sorted; left out: it is not. */
  sort?: (row: T) => string | number;
  /** A share of the width (`2fr`) or a length (`8rem`); left out: `1fr`. */
  width?: string;
  right?: boolean;
}

interface Props<T> {
  /** What the rows are, for a screen reader. */
  label: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  keyOf: (row: T) => string;
  onOpen?: ((row: T) => void) | undefined;
  /** Shown where there is no row. */
  empty?: ReactNode;
  height?: number;
  rowHeight?: number;
}

type Order = { key: string; down: boolean } | undefined;

function sorted<T>(rows: readonly T[], columns: readonly Column<T>[], order: Order): readonly T[] {
  const by = columns.find((one) => one.key === order?.key)?.sort;
  if (!by || !order) return rows;
  const sign = order.down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [left, right] = [by(a), by(b)];
    if (typeof left === "string" && typeof right === "string") return sign * left.localeCompare(right);
    return sign * (left < right ? -1 : Number(left > right));
  });
}

/** A table of any length: only the rows in view are there, and each says which of how many it is. */
export function DataTable<T>({ label, columns, rows, keyOf, onOpen, empty, height = 480, rowHeight = 40 }: Props<T>) {
  const t = useWords(PARTS);
  const [order, setOrder] = useState<Order>();
  const shown = useMemo(() => sorted(rows, columns, order), [rows, columns, order]);
  const view = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => view.current,
    estimateSize: () => rowHeight,
    overscan: 8,
    initialRect: { width: 800, height },
  });
  const grid = { gridTemplateColumns: columns.map((one) => `minmax(0, ${one.width ?? "1fr"})`).join(" ") };
  const onKey = (event: KeyboardEvent, row: T) => {
    if (event.key !== "Enter" || event.target !== event.currentTarget) return;
    event.preventDefault();
    onOpen?.(row);
  };
  return (
    <div
      ref={view}
      className={classes.view}
      style={{ maxHeight: height }}
      role="table"
      aria-label={label}
      aria-rowcount={shown.length + 1}
    >
      <div role="rowgroup" className={classes.head}>
        <div role="row" className={classes.row} style={grid} aria-rowindex={1}>
          {columns.map((one) => (
            <Head key={one.key} column={one} order={order} onOrder={setOrder} />
          ))}
        </div>
      </div>
      {shown.length === 0 ? (
        <Text className={classes.empty}>{empty ?? t("empty")}</Text>
      ) : (
        <div role="rowgroup" className={classes.body} style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const row = shown[item.index] as T;
            return (
              <div
                key={keyOf(row)}
                role="row"
                aria-rowindex={item.index + 2}
                className={`${classes.row} ${classes.line}`}
                style={{ ...grid, height: rowHeight, transform: `translateY(${item.start}px)` }}
                {...(onOpen
                  ? {
                      tabIndex: 0,
                      onClick: () => onOpen(row),
                      onKeyDown: (event: KeyboardEvent) => onKey(event, row),
                      "data-opens": true,
                    }
                  : {})}
              >
                {columns.map((one) => (
                  <div key={one.key} role="cell" className={classes.cell} data-right={one.right || undefined}>
                    {one.cell(row)}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      )}
    </div>
  );
}

function Head<T>({ column, order, onOrder }: { column: Column<T>; order: Order; onOrder: (order: Order) => void }) {
  const t = useWords(PARTS);
  const mine = order?.key === column.key ? order : undefined;
  const Icon = mine?.down ? IconChevronDown : IconChevronUp;
  const standing = mine && (mine.down ? "descending" : "ascending");
  return (
    <div role="columnheader" className={classes.cell} data-right={column.right || undefined} aria-sort={standing}>
      {column.sort ? (
        <UnstyledButton
          className={classes.sort}
          title={t("sort", { column: column.title })}
          onClick={() => onOrder(mine?.down ? undefined : { key: column.key, down: Boolean(mine) })}
        >
          {column.title}
          {mine ? <Icon aria-hidden size={14} /> : null}
        </UnstyledButton>
      ) : (
        column.title
      )}
    </div>
  );
}
