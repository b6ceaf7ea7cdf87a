/** A list of records: sortable, by keyboard, with actions for each row; or why there is none. */

import { type ReactNode, useState } from "react";
import {
  Cell,
  Column,
  type Key,
  Row,
  type SortDescriptor,
  Table,
  TableBody,
  TableHeader,
} from "react-aria-components";
import { useTranslation } from "react-i18next";
import { Refusal } from "../routes/trouble.tsx";

export interface ColumnOf<T> {
  readonly id: string;
  readonly label: string;
  readonly cell: (row: T) => ReactNode;
  /** Absent: the column cannot be sorted. */
  readonly sort?: (row: T) => string | number;
  readonly isNumber?: boolean;
}

interface Loaded<T> {
  readonly data: readonly T[] | undefined;
  readonly error: Error | null;
  readonly isPending: boolean;
  readonly refetch: () => unknown;
}

const compare = (a: string | number, b: string | number): number =>
  typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));

export function DataTable<T extends object>(props: {
  label: string;
  list: Loaded<T>;
  columns: readonly ColumnOf<T>[];
  keyOf: (row: T) => Key;
  empty: string;
  actions?: (row: T) => ReactNode;
}): ReactNode {
  const { t } = useTranslation();
  const { label, list, columns, keyOf, empty, actions } = props;
  const [order, setOrder] = useState<SortDescriptor | null>(null);
  if (list.data === undefined) {
    if (list.error !== null)
      return <Refusal error={list.error} onRetry={() => void list.refetch()} />;
    return <p className="page-loading">{t("app.loading")}</p>;
  }
  if (list.data.length === 0) return <p className="table-empty">{empty}</p>;
  const sort = columns.find(({ id }) => id === order?.column)?.sort;
  const sign = order?.direction === "descending" ? -1 : 1;
  const rows =
    sort === undefined
      ? list.data
      : [...list.data].sort((a, b) => sign * compare(sort(a), sort(b)));
  const all: ColumnOf<T>[] =
    actions === undefined
      ? [...columns]
      : [...columns, { id: "actions", label: t("admin.actions"), cell: actions }];
  return (
    <div className="table-place">
      <Table
        aria-label={label}
        className="table"
        {...(order === null ? {} : { sortDescriptor: order })}
        onSortChange={setOrder}
      >
        <TableHeader>
          {all.map((column, n) => (
            <Column
              key={column.id}
              id={column.id}
              isRowHeader={n === 0}
              allowsSorting={column.sort !== undefined}
              className={`col-${column.id}`}
            >
              {({ allowsSorting, sortDirection }) => (
                <>
                  {column.id === "actions" ? (
                    <span className="visually-hidden">{column.label}</span>
                  ) : (
                    column.label
                  )}
                  {allowsSorting && (
                    <span aria-hidden className="sort">
                      {sortDirection === undefined
                        ? "↕"
                        : sortDirection === "ascending"
                          ? "↑"
                          : "↓"}
                    </span>
                  )}
                </>
              )}
            </Column>
          ))}
        </TableHeader>
        <TableBody>
          {rows.map((row) => (
            <Row key={keyOf(row)} id={keyOf(row)} data-row={keyOf(row)}>
              {all.map((column) => (
                <Cell
                  key={column.id}
                  className={`col-${column.id} ${column.isNumber === true ? "number" : ""}`}
                >
                  {column.cell(row)}
                </Cell>
              ))}
            </Row>
          ))}
        </TableBody>
      </Table>
    </div>
  );
}
