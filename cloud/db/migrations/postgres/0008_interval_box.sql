-- A cell is of the box that counted it: a box that was replaced, and is switched on once more, may have a part of the
-- same interval. What is there is taken for that of the youngest box, the only one that may still revise it.
-- An instance of an earlier version cannot write cells any more, which it would not sum: its boxes try another one.
ALTER TABLE "interval" ADD COLUMN box TEXT COLLATE "C";
UPDATE "interval" SET box =
    coalesce((SELECT box FROM box WHERE box.site = "interval".site ORDER BY enrolled DESC, box LIMIT 1), '');
ALTER TABLE "interval" ALTER COLUMN box SET NOT NULL;
ALTER TABLE "interval" DROP CONSTRAINT interval_pkey;
ALTER TABLE "interval" ADD PRIMARY KEY (start, length_s, site, queue, box);
