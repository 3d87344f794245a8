"""Hold the queries of patient search: how common words are, then a page of hits, best first.

Three queries find hits. `SEARCH` takes every patient of the rarest word sought and ranks them; it
reads as much as that word has patients. `SEARCH_COMMON` is for one word alone that very many have
(a surname may be a third of all patients): it takes each spelling's patients in the order in which
they are shown, which the index holds, and stops after a page. `SEARCH_BEST` is for several such
words (`nguyen van`): it finds the patients that match each of them as well as any patient does, if
they fill a page.

`OFFSET 0` keeps the planner from looking at names first: by some samples of a million patients it
took the patterns for so rare that it read the whole table, in a second.

A way is one kind of match that a word sought allows: between `low` and `high`; worth 2 where the
whole word is `token`, and 1 where its spelling begins with `exact`. `whole`, `spelt` and `complete`
are patterns of names (`search_word.names`) for 2, for 1, and for both.
"""

from typing import Final

_WAY: Final = """
way AS (
  SELECT * FROM unnest(
    %(n)s::int[], %(kind)s::text[], %(low)s::text[], %(high)s::text[], %(token)s::text[],
    %(exact)s::text[], %(must)s::text[],
    %(begun)s::text[], %(whole)s::text[], %(spelt)s::text[], %(complete)s::text[]
  ) AS w (n, kind, low, high, token, exact, must, begun, whole, spelt, complete)
)
"""
# How common each word is, counted up to a limit: the rarest leads the search.
# Where all reach the limit, the planner's estimate tells: to count a surname would take too long.
ESTIMATE: Final = """
EXPLAIN (FORMAT JSON) SELECT FROM {views}.search_word AS t
WHERE t.kind = %(kind)s AND t.token >= %(low)s AND t.token < %(high)s
"""
COMMONNESS: Final = (
    "WITH"  # noqa: S608 - constants
    + _WAY
    + """
SELECT w.n, sum(c.hits)
FROM way AS w CROSS JOIN LATERAL (
  SELECT count(*) AS hits FROM (
    SELECT FROM {views}.search_word AS t
    WHERE t.kind = w.kind AND t.token >= w.low AND t.token < w.high
    LIMIT %(common)s
  ) AS few
) AS c
GROUP BY w.n
ORDER BY 2, 1
"""
)
_AFTER: Final = """
last AS (
  SELECT %(after_rank)s::int AS rank, q.sort_name, q.patient
  FROM {views}.search_patient AS q WHERE q.patient = %(after_patient)s
)
"""
_SHOW: Final = """
SELECT page.rank::int, page.patient, p.body
FROM page JOIN {views}.search_patient AS p USING (patient)
ORDER BY page.rank DESC, page.sort_name, page.patient
"""
# How queries begin that need all spellings of the words sought: the index is entered once for each.
_SPELLINGS: Final = (
    "WITH RECURSIVE"  # noqa: S608 - constants
    + _WAY
    + ","
    + _AFTER
    + """
, spelling AS (
  SELECT w.*, f.found_token, f.found_exact
  FROM way AS w CROSS JOIN LATERAL (
    SELECT t.token AS found_token, t.exact AS found_exact FROM {views}.search_word AS t
    WHERE t.kind = w.kind AND t.token >= w.low AND t.token < w.high
    ORDER BY t.token, t.exact LIMIT 1
  ) AS f
  UNION ALL
  SELECT s.n, s.kind, s.low, s.high, s.token, s.exact, s.must,
    s.begun, s.whole, s.spelt, s.complete, f.found_token, f.found_exact
  FROM spelling AS s CROSS JOIN LATERAL (
    SELECT t.token AS found_token, t.exact AS found_exact FROM {views}.search_word AS t
    WHERE t.kind = s.kind AND (t.token, t.exact) > (s.found_token, s.found_exact)
      AND t.token < s.high
    ORDER BY t.token, t.exact LIMIT 1
  ) AS f
), scored AS (
  SELECT s.*, 2 * (found_token = token)::int + starts_with(found_exact, exact)::int AS score
  FROM spelling AS s
)
"""
)
# Each candidate is ranked by itself: the planner expects one, and would join thousands with
# thousands.
SEARCH: Final = (
    "WITH"  # noqa: S608 - constants
    + _WAY
    + ","
    + _AFTER
    + """
, candidate AS MATERIALIZED (
  SELECT t.patient, t.sort_name, t.names,
    max(2 * (t.token = w.token)::int + starts_with(t.exact, w.exact)::int) AS score
  FROM way AS w CROSS JOIN LATERAL (
    SELECT u.patient, u.sort_name, u.names, u.token, u.exact FROM {views}.search_word AS u
    WHERE u.kind = w.kind AND u.token >= w.low AND u.token < w.high
    OFFSET 0
  ) AS t
  WHERE w.n = %(leading)s AND (w.must IS NULL OR t.exact = w.must)
    AND t.names LIKE ALL (%(needed)s::text[])
  GROUP BY t.patient, t.sort_name, t.names
), ranked AS (
  SELECT c.score + coalesce(o.score, 0) AS rank, c.sort_name, c.patient
  FROM candidate AS c LEFT JOIN LATERAL (
    SELECT sum(b.score) AS score, count(b.score) AS matched FROM (
      SELECT max(
        CASE WHEN w.kind <> 'name' THEN (
          SELECT max(2 * (t.token = w.token)::int + starts_with(t.exact, w.exact)::int)
          FROM {views}.search_word AS t
          WHERE t.patient = c.patient AND t.kind = w.kind AND t.token >= w.low AND t.token < w.high
            AND (w.must IS NULL OR t.exact = w.must)
        )
        WHEN c.names LIKE w.complete THEN 3
        WHEN c.names LIKE w.whole THEN 2
        WHEN c.names LIKE w.spelt THEN 1
        WHEN c.names LIKE w.begun THEN 0
        END
      ) AS score
      FROM way AS w
      WHERE w.n <> %(leading)s
      GROUP BY w.n
    ) AS b
  ) AS o ON %(others)s > 0
  WHERE coalesce(o.matched, 0) = %(others)s
), page AS (
  SELECT r.rank, r.sort_name, r.patient
  FROM ranked AS r LEFT JOIN last ON true
  WHERE %(after_rank)s::int IS NULL OR r.rank < last.rank OR (
    r.rank = last.rank AND (r.sort_name, r.patient) > (last.sort_name, last.patient)
  )
  ORDER BY r.rank DESC, r.sort_name, r.patient
  LIMIT %(limit)s
)
"""
    + _SHOW
)
SEARCH_COMMON: Final = (
    _SPELLINGS  # noqa: S608 - constants
    + """
, hit AS (
  SELECT s.score, l.sort_name, l.patient
  FROM scored AS s LEFT JOIN last ON true CROSS JOIN LATERAL (
    SELECT t.sort_name, t.patient FROM {views}.search_word AS t
    WHERE t.kind = s.kind AND t.token = s.found_token AND t.exact = s.found_exact
      AND (t.sort_name, t.patient) > (
        CASE WHEN s.score = last.rank THEN last.sort_name ELSE '' END,
        CASE WHEN s.score = last.rank THEN last.patient
          ELSE '00000000-0000-0000-0000-000000000000' END
      )
      AND (s.kind <> 'name' OR CASE s.score
        WHEN 3 THEN true
        WHEN 2 THEN t.names NOT LIKE s.complete
        WHEN 1 THEN t.names NOT LIKE s.whole
        ELSE t.names NOT LIKE s.whole AND t.names NOT LIKE s.spelt
      END)
    ORDER BY t.sort_name, t.patient
    LIMIT %(limit)s
  ) AS l
  WHERE (last.rank IS NULL OR s.score <= last.rank) AND (s.must IS NULL OR s.found_exact = s.must)
), page AS (
  SELECT max(score) AS rank, sort_name, patient
  FROM hit
  GROUP BY sort_name, patient
  ORDER BY 1 DESC, sort_name, patient
  LIMIT %(limit)s
)
"""
    + _SHOW
)
# The best spellings of each word are lists of patients in the order shown. A walk looks in the
# lists of one word after the other for the first patient from a place on; there it looks for the
# next word. Where all words agree on a place, that patient has all of them; what lies between is
# leapt over. Names of one surname lie together: `nguyen van` takes two looks for each hit.
# U+10FFFF comes after all names: of that place the next one is looked for. After so many `looks`
# without a full page the walk ends.
SEARCH_BEST: Final = (
    _SPELLINGS  # noqa: S608 - constants
    + """
, best AS MATERIALIZED (
  SELECT s.n, s.kind, s.found_token AS token, s.found_exact AS exact, s.score,
    count(*) OVER (PARTITION BY s.n) AS lists
  FROM (SELECT *, max(score) OVER (PARTITION BY n) AS most FROM scored) AS s
  WHERE s.score = s.most
), top AS (
  SELECT sum(score) AS rank FROM (SELECT DISTINCT n, score FROM best) AS word
  HAVING count(*) = %(words)s
), walk AS (
  SELECT 0 AS n, coalesce(last.sort_name, '') AS sort_name,
    coalesce(last.patient, '00000000-0000-0000-0000-000000000000') AS patient,
    CASE WHEN last.patient IS NULL THEN 0 ELSE %(words)s::int END AS agreed, 0 AS hits,
    0::bigint AS looks
  FROM top LEFT JOIN last ON true
  WHERE %(after_rank)s::int IS NULL OR last.rank = top.rank
  UNION ALL
  SELECT (w.n + 1) %% %(words)s::int, f.sort_name, f.patient, m.agreed,
    w.hits + (m.agreed = %(words)s)::int, w.looks + f.lists
  FROM walk AS w CROSS JOIN LATERAL (
    SELECT t.sort_name, t.patient, b.lists FROM best AS b CROSS JOIN LATERAL (
      SELECT u.sort_name, u.patient FROM {views}.search_word AS u
      WHERE u.kind = b.kind AND u.token = b.token AND u.exact = b.exact
        AND (u.sort_name, u.patient, u.names) > (
          w.sort_name, w.patient,
          CASE WHEN w.agreed = %(words)s THEN chr(1114111) ELSE '' END
        )
      ORDER BY u.sort_name, u.patient LIMIT 1
    ) AS t
    WHERE b.n = w.n
    ORDER BY t.sort_name, t.patient LIMIT 1
  ) AS f CROSS JOIN LATERAL (
    SELECT CASE WHEN (f.sort_name, f.patient) = (w.sort_name, w.patient)
      THEN w.agreed + 1 ELSE 1 END AS agreed
  ) AS m
  WHERE w.hits < %(limit)s AND w.looks < %(looks)s
), page AS (
  SELECT top.rank, w.sort_name, w.patient FROM walk AS w CROSS JOIN top
  WHERE w.agreed = %(words)s AND w.looks > 0
)
"""
    + _SHOW
)
