"""Makes schedules.tsv: when AWS's schedule expressions fire next, as somebody else computes it.

The fields are read day by day as AWS's page describes them, time zones are Python's zoneinfo, and what they can say
too is compared with the packages pyawscron and croniter. Run once: pip install croniter pyawscron tzdata.
"""
import calendar
import datetime as dt
import random
import zoneinfo

import croniter
import pyawscron

UTC = dt.timezone.utc
MONTHS = dict(zip("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(), range(1, 13)))
DAYS = dict(zip("SUN MON TUE WED THU FRI SAT".split(), range(1, 8)))


def numbers(text, low, high, names={}):
    found = set()
    for part in text.split(","):
        part, _, step = part.partition("/")
        if part == "*":
            first, last = low, high
        elif "-" in part:
            first, last = (names.get(end) or int(end) for end in part.split("-"))
        else:
            first = names.get(part) or int(part)
            last = high if step else first
        if first > last:
            found |= set(list(range(first, high + 1)) + list(range(low, last + 1)))
        else:
            found |= set(range(first, last + 1, int(step or 1)))
    return found


def weekday(day):
    return (day.weekday() + 1) % 7 + 1


def meant_by_month(day, text):
    length = calendar.monthrange(day.year, day.month)[1]
    for part in text.split(","):
        if part == "L":
            if day.day == length:
                return True
        elif part.endswith("W"):
            wanted = length if part == "LW" else int(part[:-1])
            if wanted > length:
                continue
            near = [d for d in range(1, length + 1) if day.replace(day=d).weekday() < 5]
            # The nearest; of two, AWS's page says nothing, and a Saturday goes back and a Sunday forward.
            if day.day == min(near, key=lambda d: abs(d - wanted)):
                return True
        elif day.day in numbers(part, 1, 31):
            return True
    return False


def meant_by_week(day, text):
    length = calendar.monthrange(day.year, day.month)[1]
    if "#" in text:
        name, nth = text.split("#")
        return weekday(day) == (DAYS.get(name) or int(name)) and (day.day - 1) // 7 + 1 == int(nth)
    for part in text.split(","):
        if part == "L":
            if weekday(day) == 7:
                return True
        elif part.endswith("L"):
            if weekday(day) == (DAYS.get(part[:-1]) or int(part[:-1])) and day.day + 7 > length:
                return True
        elif weekday(day) in numbers(part, 1, 7, DAYS):
            return True
    return False


def occurrences(expression, zone, after, count):
    minute, hour, month_day, month, week_day, year = expression.split()
    minutes, hours = sorted(numbers(minute, 0, 59)), sorted(numbers(hour, 0, 23))
    months, years = numbers(month, 1, 12, MONTHS), numbers(year, 1970, 2199)
    tz = zoneinfo.ZoneInfo(zone)
    found = []
    day = after.astimezone(tz).date() - dt.timedelta(days=1)
    while len(found) < count and day.year < after.year + 12:
        if day.year in years and day.month in months:
            if meant_by_month(day, month_day) if week_day == "?" else meant_by_week(day, week_day):
                for h in hours:
                    for m in minutes:
                        local = dt.datetime(day.year, day.month, day.day, h, m, tzinfo=tz)  # fold=0: the first of two
                        moment = local.astimezone(UTC)
                        if moment.astimezone(tz).replace(tzinfo=None) != local.replace(tzinfo=None):
                            continue  # clocks are put forward over it
                        if moment > after:
                            found.append(moment)
        day += dt.timedelta(days=1)
    return sorted(found)[:count]


def check(expression, after, found):
    """In UTC others can tell too."""
    try:
        theirs = [after]
        for _ in found:
            theirs.append(pyawscron.AWSCron(expression).occurrence(theirs[-1]).next())
        theirs.pop(0)
        if theirs != found:
            print("pyawscron differs:", expression, after, theirs[:2], found[:2])
    except Exception as error:
        print("pyawscron refuses:", expression, repr(error)[:80])
    minute, hour, month_day, month, week_day, year = expression.split()
    if year != "*" or any(c in month_day + week_day for c in "LW#"):
        return
    if week_day != "?":
        week_day = ",".join(str(n - 1) for n in sorted(numbers(week_day, 1, 7, DAYS)))
    five = " ".join([minute, hour, month_day.replace("?", "*"), month, week_day.replace("?", "*")])
    other = croniter.croniter(five, after)
    assert [other.get_next(dt.datetime) for _ in found] == found, expression


FIXED = """
0 10 * * ? *|15 12 * * ? *|0 18 ? * MON-FRI *|0 8 1 * ? *|0/15 * * * ? *|0/10 * ? * MON-FRI *
0/5 8-17 ? * MON-FRI *|0 0 L * ? *|0 0 ? * L *|0 12 ? * 6L *|0 12 ? * FRIL *|0 9 15W * ? *|0 9 1W * ? *
0 9 31W * ? *|0 9 30W * ? *|0 9 LW * ? *|0 9 ? * 3#2 *|0 9 ? * MON#5 *|0 0 29 2 ? *|0 0 29 2 ? 2028
30 1 * * ? *|30 2 * * ? *|0 2 * * ? *|0 3 * * ? *|59 23 31 12 ? *|0 0 1 1 ? *|* * * * ? *|*/7 */5 * * ? *
5,35 3-5,22 1,15 JAN,JUL ? *|15 10 ? * 6L 2026-2028|0 22-2 * * ? *|0 6 ? * FRI-MON *|10-50/20 12 ? * TUE,THU *
0 0 1/10 * ? *|0 4 L 2 ? *|0 4 ? 3-11/2 SUN *|0 0 31 * ? *|30 0 ? * SUN *|0 12 1,L * ? *|45 1 ? 3,10,11 SUN *
0 0 ? * 2-6 2026/2|20/20 7/6 5 */3 ? *
""".replace("\n", "|")
ZONES = ["UTC", "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe",
         "America/Sao_Paulo", "Pacific/Auckland", "Europe/Dublin", "Asia/Kathmandu", "America/St_Johns",
         "Africa/Casablanca"]
STARTS = ["2026-01-01T00:00:00", "2026-03-28T12:00:00", "2026-03-07T23:59:59", "2026-10-24T20:00:00",
          "2026-10-31T12:34:56", "2026-10-25T00:30:00", "2026-11-01T05:45:00", "2027-02-28T22:00:00",
          "2026-04-04T10:00:00", "2026-12-31T23:59:00", "2028-02-28T00:00:00", "2027-09-25T00:00:00"]


def chance_field(dice, low, high, names):
    kind = dice.randrange(6)
    a, b = dice.randint(low, high), dice.randint(low, high)
    if kind == 0:
        return "*"
    if kind == 1:
        return f"{min(a, b)}-{max(a, b)}"
    if kind == 2:
        return f"{a}/{dice.randint(1, max(1, (high - low) // 2))}"
    if kind == 3 and names:
        return dice.choice(sorted(names))
    if kind == 4:
        return ",".join(str(n) for n in sorted({a, b, dice.randint(low, high)}))
    return str(a)


def chance(dice):
    fields = [chance_field(dice, 0, 59, {}), chance_field(dice, 0, 23, {})]
    if dice.random() < 0.5:
        fields += [dice.choice([chance_field(dice, 1, 28, {}), "L", "LW", f"{dice.randint(1, 31)}W"]),
                   chance_field(dice, 1, 12, MONTHS), "?"]
    else:
        day = chance_field(dice, 1, 7, DAYS)
        while "/" in day:
            day = chance_field(dice, 1, 7, DAYS)
        fields += ["?", chance_field(dice, 1, 12, MONTHS),
                   dice.choice([day, f"{dice.randint(1, 7)}L", f"{dice.randint(1, 7)}#{dice.randint(1, 5)}"])]
    return " ".join(fields + [dice.choice(["*", "*", "2026-2030", "2027,2029"])])


def main():
    dice = random.Random(20261121)
    cases = [(e.strip(), z, s) for e in FIXED.split("|") if e.strip()
             for z, s in zip(dice.sample(ZONES, 4), dice.sample(STARTS, 4))]
    cases += [(chance(dice), dice.choice(ZONES), dice.choice(STARTS)) for _ in range(150)]
    with open(__file__.rsplit("/", 1)[0] + "/schedules.tsv", "w") as file:
        file.write("# expression, zone, after (UTC), then the next ones; made by make_schedules.py\n")
        for expression, zone, start in sorted(set(cases)):
            after = dt.datetime.fromisoformat(start).replace(tzinfo=UTC)
            found = occurrences(expression, zone, after, 4)
            if zone == "UTC":
                check(expression, after, found)
            file.write("\t".join([expression, zone, start] + [f"{m:%Y-%m-%dT%H:%M:%S}" for m in found]) + "\n")


main()
