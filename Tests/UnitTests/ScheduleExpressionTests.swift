// Schedule expressions: what AWS refuses, when they fire as somebody else computes it, and properties.
import FoundationEssentials
import MartletCore
import Testing

@testable import MartletCloud

@Suite struct ScheduleExpressionTests {
  static let zones = TimeZones()

  static func timestamp(_ text: some StringProtocol) throws -> Timestamp {
    Timestamp(milliseconds: try #require(CivilTime(text)).seconds * 1000)
  }

  @Test(arguments: [
    "rate(1 minute)", "rate(5 minutes)", "rate(1 hour)", "rate(12 hours)", "rate(1 day)", "rate(7 days)",
    "cron(0 10 * * ? *)", "cron(0/15 * * * ? *)", "cron(0 18 ? * mon-fri *)", "cron(0 0 L * ? *)",
    "cron(0 0 LW * ? *)", "cron(0 0 ? * 6L *)", "cron(0 0 ? * L *)", "cron(0 0 ? * 3#2 *)", "cron(0 0 3W * ? *)",
    "cron(0 0 ? 1,JUN-AUG TUE,THU 2026-2030)", "cron(0 0 1 1 ? 2199)", "cron(0 22-2 * * ? *)",
  ]) func accepted(_ text: String) {
    #expect(ScheduleExpression(ofRule: text) != nil)
    #expect(ScheduleExpression(ofSchedule: text) != nil)
  }

  @Test(arguments: [
    "", "rate", "rate()", "rate(0 minutes)", "rate(-1 minutes)", "rate(1.5 hours)", "rate(10 seconds)",
    "rate( 10 minutes )", "rate(10  minutes)", "rate(minutes)", "rate(10minutes)", "rate(10 MINUTES)", "Rate(1 minute)",
    "rate(1000000000 days)", "rate(5 minutess)", "cron()", "cron(* * * * *)", "cron(0 1 * * * *)", "cron(0 1 ? * ? *)",
    "cron(7 20 * * NOT *)", "cron(INVALID)", "cron(0 dummy ? * MON-FRI *)", "cron(71 8 1 * ? *)", "cron(0 24 * * ? *)",
    "cron(0 0 0 * ? *)", "cron(0 0 32 * ? *)", "cron(0 0 1 13 ? *)", "cron(0 0 ? * 8 *)", "cron(0 0 ? * 0 *)",
    "cron(0 0 1 1 ? 1969)", "cron(0 0 1 1 ? 2200)", "cron(0/0 * * * ? *)", "cron(0 0 ? * 3#6 *)",
    "cron(0 0 ? * 3#1,6#3 *)", "cron(0 0 W * ? *)", "cron(0 0 1-3W * ? *)", "cron(1, 0 1 * ? *)",
    "cron(0 0 1-2-3 * ? *)",
    "cron(0 0 1 * ? *) ", " cron(0 0 1 * ? *)", "cron( 0 0 1 * ? *)", "cron(? 0 1 * ? *)", "cron(0 0 1L * ? *)",
    "cron(0 0 1 * ? 2030-2026x)", "cron(0 0 ? * MON/2 *)", "at(2026-12-24)", "at(2026-12-24T18:00:00Z)",
    "at(2026-02-29T18:00:00)", "at(2026-12-24T24:00:00)", "at(2026-12-24 18:00:00)", "at(2026-1-2T03:04:05)",
  ]) func refused(_ text: String) {
    #expect(ScheduleExpression(ofSchedule: text) == nil)
    #expect(ScheduleExpression(ofRule: text) == nil)
  }

  /// The two services differ in that.
  @Test func rulesAreStricter() {
    for text in ["rate(1 minutes)", "rate(5 minute)", "at(2026-12-24T18:00:00)"] {
      #expect(ScheduleExpression(ofRule: text) == nil)
      #expect(ScheduleExpression(ofSchedule: text) != nil)
    }
    #expect(ScheduleExpression(ofSchedule: "rate(1 hours)") == .rate(seconds: 3600))
  }

  /// golden/make_schedules.py says how the numbers were made.
  @Test func firesWhenOthersSaySo() throws {
    let path = "\(TidyTests.root)/Tests/UnitTests/golden/schedules.tsv"
    let text = String(decoding: try #require(FileManager.default.contents(atPath: path)), as: UTF8.self)
    var count = 0
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let cells = line.split(separator: "\t")
      let expression = try #require(ScheduleExpression(ofSchedule: "cron(\(cells[0]))"), "\(cells[0])")
      let zone = try #require(ScheduleExpressionTests.zones.find(String(cells[1])), "\(cells[1]): is tzdata here?")
      var moment = try ScheduleExpressionTests.timestamp(cells[2])
      for expected in cells.dropFirst(3) {
        let next = expression.occurrence(after: moment, in: zone, anchor: moment)
        #expect(next == (try ScheduleExpressionTests.timestamp(expected)), "\(line): \(next?.iso8601 ?? "never")")
        guard let next else { break }
        moment = next
        count += 1
      }
    }
    #expect(count > 500)
  }

  @Test func clocksThatArePutForwardLeaveItOut() throws {
    let berlin = try #require(ScheduleExpressionTests.zones.find("Europe/Berlin"))
    let expression = try #require(ScheduleExpression(ofSchedule: "cron(30 2 * * ? *)"))
    let saturday = try ScheduleExpressionTests.timestamp("2026-03-28T01:30:00")
    // There is no half past two on the 29th.
    let next = expression.occurrence(after: saturday, in: berlin, anchor: saturday)
    #expect(next?.iso8601Seconds == "2026-03-30T00:30:00Z")
    // What happens once happens nevertheless.
    let once = try #require(ScheduleExpression(ofSchedule: "at(2026-03-29T02:30:00)"))
    #expect(once.occurrence(after: saturday, in: berlin, anchor: saturday)?.iso8601Seconds == "2026-03-29T01:30:00Z")
  }

  @Test func clocksThatArePutBackDoNotRepeatIt() throws {
    let berlin = try #require(ScheduleExpressionTests.zones.find("Europe/Berlin"))
    let expression = try #require(ScheduleExpression(ofSchedule: "cron(30 2 * * ? *)"))
    var moment = try ScheduleExpressionTests.timestamp("2026-10-24T12:00:00")
    var seen: [String] = []
    for _ in 0..<2 {
      moment = try #require(expression.occurrence(after: moment, in: berlin, anchor: moment))
      seen.append(moment.iso8601Seconds)
    }
    #expect(seen == ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"])
  }

  @Test func ratesCountFromTheirAnchor() throws {
    let anchor = try ScheduleExpressionTests.timestamp("2026-01-01T00:00:10")
    let rate = ScheduleExpression.rate(seconds: 300)
    let before = Timestamp(milliseconds: anchor.milliseconds - 1)
    #expect(rate.occurrence(after: before, in: .utc, anchor: anchor) == anchor)
    #expect(rate.occurrence(after: anchor, in: .utc, anchor: anchor) == anchor + .seconds(300))
    #expect(rate.occurrence(after: anchor + .seconds(299), in: .utc, anchor: anchor) == anchor + .seconds(300))
    #expect(rate.occurrence(after: anchor + .seconds(300), in: .utc, anchor: anchor) == anchor + .seconds(600))
    #expect(
      ScheduleExpression.rate(seconds: 86_400 * 999_999_999).occurrence(after: anchor, in: .utc, anchor: anchor) == nil)
  }

  @Test func whatIsOverIsOver() throws {
    let now = try ScheduleExpressionTests.timestamp("2026-06-01T00:00:00")
    for text in [
      "cron(0 0 1 1 ? 2020-2025)", "cron(0 0 30 2 ? *)", "at(2026-05-31T23:59:59)", "at(2026-06-01T00:00:00)",
    ] {
      let expression = try #require(ScheduleExpression(ofSchedule: text))
      #expect(expression.occurrence(after: now, in: .utc, anchor: now) == nil, "\(text)")
    }
  }

  /// The next one is later, is meant, and nothing that is meant lies between: told by looking at each minute.
  @Test(arguments: 0..<40) func nothingIsLeftOut(seed: UInt64) throws {
    var dice = SplitMix(seed: seed)
    func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &dice) }
    let minute = ["*", "\(number(0...59))", "0/\(number(1...30))", "\(number(0...29))-\(number(30...59))"]
    let hour = ["*", "\(number(0...23))", "*/\(number(1...12))"]
    let week = ["\(number(1...7))", "MON-FRI", "\(number(1...7))L", "\(number(1...7))#\(number(1...4))"]
    let text =
      "cron(\(minute[number(0...3)]) \(hour[number(0...2)]) ? * \(week[number(0...3)]) *)"
    let expression = try #require(ScheduleExpression(ofSchedule: text))
    let names = ["UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]
    let zone = try #require(ScheduleExpressionTests.zones.find(names[number(0...3)]))
    let start = Timestamp(milliseconds: Int64(1_760_000_000 + number(0...60_000_000)) * 1000)
    let next = try #require(expression.occurrence(after: start, in: zone, anchor: start))
    #expect(next > start)
    #expect(next.nanoseconds % 60_000_000_000 == 0)
    // From anywhere in between it is the same one.
    for _ in 0..<50 {
      let span = next.nanoseconds - start.nanoseconds
      let between = Timestamp(nanoseconds: start.nanoseconds + Int64.random(in: 0..<span, using: &dice))
      #expect(expression.occurrence(after: between, in: zone, anchor: start) == next, "\(text) \(between.iso8601)")
    }
  }

  @Test func anyTextIsReadOrRefused() {
    var dice = SplitMix(seed: 7)
    let seeds = [
      "cron(0/15 8-17 ? * MON-FRI 2026-2030)", "rate(15 minutes)", "at(2026-12-24T18:00:00)", "cron(0 0 LW,3W * ? *)",
    ]
    for _ in 0..<20_000 {
      let text = String(decoding: dice.mutated(Array(seeds[Int(dice.next() % 4)].utf8)), as: UTF8.self)
      guard let expression = ScheduleExpression(ofSchedule: text) else { continue }
      let now = Timestamp(milliseconds: 1_780_000_000_000)
      if let next = expression.occurrence(after: now, in: .utc, anchor: now) { #expect(next > now, "\(text)") }
    }
  }
}

@Suite struct TimeZoneTests {
  @Test func civilTimesAndSecondsAreTheSame() throws {
    var dice = SplitMix(seed: 3)
    for _ in 0..<20_000 {
      let seconds = Int64.random(in: -50_000_000_000...100_000_000_000, using: &dice)
      let civil = CivilTime(seconds: seconds)
      #expect(civil.seconds == seconds)
      #expect(CivilTime(civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second) == civil)
    }
    #expect(CivilTime.weekday(2026, 11, 21) == 7)
    #expect(CivilTime("2026-11-21T14:30:00")?.seconds == 1_795_271_400)
  }

  /// The calendar of the C library is another one.
  @Test func offsetsAreThoseOfTheZone() throws {
    let zones = TimeZones()
    for (name, moment, offset) in [
      ("Europe/Berlin", "2026-01-15T12:00:00", 3600), ("Europe/Berlin", "2026-07-15T12:00:00", 7200),
      ("Europe/Berlin", "2150-07-15T12:00:00", 7200), ("America/New_York", "2026-11-01T05:59:59", -14_400),
      ("America/New_York", "2026-11-01T06:00:00", -18_000), ("America/New_York", "2199-12-01T06:00:00", -18_000),
      ("Australia/Lord_Howe", "2026-01-01T00:00:00", 39_600), ("Australia/Lord_Howe", "2126-07-01T00:00:00", 37_800),
      ("Asia/Kathmandu", "2026-01-01T00:00:00", 20_700), ("Pacific/Kiritimati", "2026-01-01T00:00:00", 50_400),
      ("Europe/Dublin", "2126-01-01T00:00:00", 0), ("Europe/Dublin", "2126-07-01T00:00:00", 3600),
      ("UTC", "2026-01-01T00:00:00", 0),
      ("Etc/GMT+5", "2026-01-01T00:00:00", -18_000),
    ] as [(String, String, Int64)] {
      let rules = try #require(zones.find(name), "\(name): is tzdata here?")
      #expect(rules.offset(at: try #require(CivilTime(moment)).seconds) == offset, "\(name) \(moment)")
    }
  }

  @Test func onlyZonesHaveNames() {
    let zones = TimeZones()
    for name in [
      "", "Mars/Olympus", "../../etc/passwd", "America", "zone.tab", "posix/UTC", "right/UTC", "/UTC",
      "America//New_York", ".",
    ] {
      #expect(zones.find(name) == nil, "\(name)")
    }
    #expect(TimeZones(directory: "/nowhere").find("UTC") == .utc)
  }

  @Test func damagedFilesAreRefused() throws {
    let path = "/usr/share/zoneinfo/Europe/Berlin"
    let bytes = Array(try #require(FileManager.default.contents(atPath: path)))
    #expect(TimeZoneRules(tzif: bytes) != nil)
    var dice = SplitMix(seed: 11)
    for _ in 0..<5000 {
      guard let rules = TimeZoneRules(tzif: dice.mutated(bytes)) else { continue }
      #expect(abs(rules.offset(at: 1_800_000_000)) <= 26 * 3600)
    }
    for length in 0..<bytes.count where length % 7 == 0 { _ = TimeZoneRules(tzif: Array(bytes[..<length])) }
  }

  @Test func rulesOfZones() {
    #expect(YearlyRule("CET-1CEST,M3.5.0,M10.5.0/3") != nil)
    #expect(YearlyRule("<+0330>-3:30")?.standard == 12_600)
    #expect(YearlyRule("IST-1GMT0,M10.5.0,M3.5.0/1")?.daylight?.offset == 0)
    #expect(YearlyRule("EST5EDT,J60/2,300/26") != nil)
    for text in ["", "A1", "CET", "CET-1CEST", "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.5.0", "CET-99"] {
      #expect(YearlyRule(text) == nil, "\(text)")
    }
  }
}
