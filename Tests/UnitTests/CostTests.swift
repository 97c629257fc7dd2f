// What AWS would charge: prices, sums without rounding, the free tier, tiers, months, and what is counted.
import MartletCore
import MartletServer
import NIOCore
import Testing

@testable import MartletLambda

struct CostTests {
  private let table: PriceTable

  init() throws { table = try PriceTable.carried() }

  private func use(_ change: (inout Usage) -> Void) -> Usage {
    var use = Usage()
    change(&use)
    return use
  }

  // MARK: - Money

  @Test func pricesAreDecimals() {
    #expect(Price("0.0000166667")?.pico == 16_666_700)
    #expect(Price("20")?.pico == 20_000_000_000_000)
    #expect(Price("0.000000000001")?.pico == 1)
    for text in ["", ".", "1.", ".5", "-1", "1e3", "0.0000000000001", "1000000", "1.2.3", "٣"] {
      #expect(Price(text) == nil, "\(text)")
    }
  }

  @Test func sumsAreExact() throws {
    let price = try #require(Price("0.0000166667"))
    let one = Money(megabyteMilliseconds: 128, perGBSecond: price)
    #expect(one.text(12) == "0.000000002083")
    // A thousand million of them are what the product is, to the last digit, and not what rounded parts would be.
    #expect((one * 1_000_000_000).text(12) == "2.083337500000")
    #expect(Money(megabyteMilliseconds: 128_000_000_000, perGBSecond: price) == one * 1_000_000_000)
    var sum = Money.zero
    for _ in 0..<1000 { sum += one }
    #expect(sum == one * 1000)
    #expect(Money(requests: 1, perMillion: try #require(Price("0.20"))).text(7) == "0.0000002")
    #expect(Money(bytes: 1_073_741_824, perGB: try #require(Price("0.008"))).text(3) == "0.008")
  }

  @Test func amountsAreRoundedToTheNearest() throws {
    let cent = Money(requests: 1_000_000, perMillion: try #require(Price("0.015")))
    #expect(cent.text(2) == "0.02")
    #expect((.zero - cent).text(2) == "-0.02")
    #expect((.zero - cent / 100).text(2) == "0.00")
    #expect(Money.zero.short == "0.00")
    #expect((cent * 1000).short == "15.00")
    #expect((cent / 1_000_000).short == "0.00000001500")
    #expect((cent * 10 / 3).short == "0.05000")
    #expect(Money(requests: .max, perMillion: try #require(Price("999999"))) > cent)
  }

  @Test func whatIsShownAddsUp() throws {
    let one = Money(megabyteMilliseconds: 128, perGBSecond: try #require(Price("0.0000166667")))
    var bill = Bill()
    // Thirds and sevenths of what has no twelve digits: the total's own rounding is another one for some of them.
    for part in 1...200 as ClosedRange<Int64> {
      (bill.list, bill.free, bill.tiers) = (one * (3 * part), one * part / 3, one * part / 7)
      let shown = bill.rounded
      #expect(shown.list.text(12) == bill.list.text(12) && shown.free.text(12) == bill.free.text(12))
      #expect(shown.total.rounded == shown.total && shown.total + shown.free + shown.tiers == shown.list)
    }
    #expect((.zero - one).rounded == .zero - one.rounded)
  }

  // MARK: - Prices

  /// The sums of AWS's own page: 3 million requests of 120 ms at 1,536 MB in a month.
  @Test func theFreeTierIsAnAccountsPerMonth() {
    let month: Usages = [
      .x86: use {
        $0.requests = 3_000_000
        $0.onDemand = 3_000_000 * 120 * 1536
      }
    ]
    let bill = table.bill(month, hasFreeTier: true)
    #expect(bill.list.text(2) == "9.60")
    // 1 million requests and 400,000 GB-seconds.
    #expect(bill.free.text(5) == "6.86668")
    #expect(bill.total.text(2) == "2.73")
    #expect(table.bill(month, hasFreeTier: false).total == bill.list)
    let little: Usages = [.arm: use { $0.requests = 10 }]
    #expect(table.bill(little, hasFreeTier: true).total == .zero)
  }

  @Test func theFreeTierIsSharedByArchitectures() {
    let each = use { $0.requests = 800_000 }
    let bill = table.bill([.x86: each, .arm: each], hasFreeTier: true)
    #expect(bill.total.text(2) == "0.12")
  }

  @Test func largeAmountsAreCheaper() {
    let unit: Int64 = 1_024_000
    let month: Usages = [.x86: use { $0.onDemand = 16_000_000_000 * unit }]
    let bill = table.bill(month, hasFreeTier: false)
    // 6, 9 and 1 thousand million GB-seconds.
    #expect(bill.total.text(2) == "248333.60")
    #expect(bill.list.text(2) == "266667.20")
    #expect(bill.tiers == bill.list - bill.total)
  }

  @Test func everythingHasItsPrice() {
    let used = use {
      $0.requests = 1_000_000
      $0.onDemand = 1_024_000
      $0.provisionedDuration = 1_024_000
      $0.provisioned = 1_024_000
      $0.storage = 1_024_000
      $0.streamed = 1_073_741_824
    }
    let intel = table.charges(used, .x86)
    #expect(intel.requests.text(2) == "0.20")
    #expect(intel.duration.text(10) == "0.0000166667")
    #expect(intel.provisioned.text(10) == "0.0000138889")
    #expect(intel.storage.text(10) == "0.0000000309")
    #expect(intel.streaming.text(3) == "0.008")
    #expect(table.charges(used, .arm).duration.text(10) == "0.0000133334")
    #expect(table.charges([.x86: used]).total == intel.total)
    #expect(used.milliGBSeconds == 2000)
  }

  @Test func aTableThatIsWrongSaysWhere() throws {
    let good = """
      {"region": "r", "currency": "EUR", "date": "d", "requestsPerMillion": {"x86_64": "1", "arm64": "2"},
       "durationPerGBSecond": {"x86_64": [{"price": "3"}], "arm64": [{"upToGBSeconds": 5, "price": "4"}, {"price": "1"}]},
       "provisionedConcurrencyPerGBSecond": {"x86_64": "1", "arm64": "1"},
       "provisionedDurationPerGBSecond": {"x86_64": "1", "arm64": "1"}, "storagePerGBSecond": {"x86_64": "1", "arm64": "1"},
       "streamingPerGB": {"x86_64": "1", "arm64": "1"}, "freePerMonth": {"requests": 1, "gbSeconds": 2, "streamingGB": 3}}
      """
    let own = try PriceTable(json: ByteBuffer(string: good))
    #expect(own.bill([.arm: use { $0.onDemand = 10 * 1_024_000 }], hasFreeTier: false).total.text(0) == "25")
    for (from, to, word) in [
      ("\"EUR\"", "7", "currency"), ("\"2\"", "2", "requestsPerMillion of arm64"),
      ("[{\"price\": \"3\"}]", "[]", "durationPerGBSecond"),
      ("\"upToGBSeconds\": 5", "\"upToGBSeconds\": 0", "not in order"),
      ("\"gbSeconds\": 2", "\"gbSeconds\": -2", "gbSeconds"),
      ("{\"region\"", "[", "read prices"),
    ] {
      let text = good.replacing(from, with: to)
      let fault = #expect(throws: Fault.self) { try PriceTable(json: ByteBuffer(string: text)) }
      #expect(fault?.description.contains(word) == true, "\(word): \(String(describing: fault))")
    }
  }

  // MARK: - Months

  @Test func monthsAreCalendarMonths() throws {
    let now = try #require(Timestamp(iso8601: "2028-03-02T10:00:30Z")).seconds
    let months = BilledMonths(from: now - 3 * 86400, to: now).months
    func second(_ text: String) -> Int64 { Timestamp(iso8601: text)?.seconds ?? 0 }
    #expect(months.count == 2)
    #expect(months[0].before == .init(start: second("2028-02-01"), end: second("2028-02-28T10:00:00Z")))
    #expect(months[0].asked == .init(start: second("2028-02-28T10:00:00Z"), end: second("2028-03-01")))
    #expect(months[1].before == .init(start: second("2028-03-01"), end: second("2028-03-01")))
    #expect(months[1].asked == .init(start: second("2028-03-01"), end: now))
    #expect(BilledMonths.month(of: second("2026-12-31T23:59:59Z")).end == second("2027-01-01"))
    // Old values are kept by the hour.
    #expect(BilledMonths(from: now - 90 * 86400, to: now).months[0].asked.start % 3600 == 0)
  }

  // MARK: - What is counted

  @Test func reportsAreRead() throws {
    let log = """
      START RequestId: x Version: $LATEST
      REPORT RequestId: x\tDuration: 3.01 ms\tBilled Duration: 114 ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB\t\
      Init Duration: 110.10 ms\t
      XRAY TraceId: 1-2
      """
    let report = try #require(LambdaReport(log: log))
    #expect(report.duration == 3.01 && report.billed == 114 && report.memorySize == 128 && report.memoryUsed == 36)
    #expect(report.initialisation == 110.1)
    let json = """
      {"time":"t","type":"platform.report","record":{"requestId":"x","metrics":{"durationMs":2.5,"billedDurationMs":3,"memorySizeMB":256,"maxMemoryUsedMB":30},"status":"success"}}
      """
    let other = try #require(LambdaReport(log: "text\n" + json + "\n"))
    #expect(other.billed == 3 && other.memorySize == 256 && other.initialisation == nil)
    #expect(LambdaReport(log: "END RequestId: x\n") == nil)
    #expect(LambdaReport(log: "REPORT RequestId: x\tDuration: soon") == nil)
  }

  @Test func initialisationIsBilledUnlessProvisioned() {
    func billed(_ nanoseconds: UInt64, _ initialisation: UInt64?, isProvisioned: Bool = false) -> UInt64 {
      InvocationReport(
        duration: Nanoseconds(count: nanoseconds), initialisation: initialisation.map { Nanoseconds(count: $0) },
        isProvisioned: isProvisioned, memorySize: 128, peak: nil, failure: nil
      ).billed
    }
    #expect(billed(11_480_000, nil) == 12)
    // Together, and rounded up once.
    #expect(billed(3_010_000, 110_100_000) == 114)
    #expect(billed(400_000, 500_000) == 1)
    #expect(billed(3_010_000, 110_100_000, isProvisioned: true) == 4)
    #expect(billed(0, nil) == 1)
  }

  @Test func invocationsAreCountedUntilTaken() {
    var tally = InvocationTally()
    let moment = Timestamp(milliseconds: 5)
    tally.bill(.init(milliseconds: 10, isProvisioned: false, streamed: 0)) { moment }
    tally.bill(.init(milliseconds: 4, isProvisioned: true, streamed: 6 * 1_048_576)) { Timestamp(milliseconds: 9) }
    tally.bill(.init(milliseconds: 1, isProvisioned: false, streamed: 7 * 1_048_576)) { Timestamp(milliseconds: 9) }
    let use = tally.takeUse()
    #expect(use.requests == 3 && use.onDemand == 11 && use.provisioned == 4)
    #expect(use.streamed == 1_048_576)
    #expect(use.since == moment)
    #expect(tally.takeUse() == BilledUse())
  }

  @Test func provisionedConcurrencyIsChargedByFiveMinutes() throws {
    let place = Place(account: try #require(Account("000000000000")), region: try #require(Region("us-east-1")))
    let key = ProvisionedMeter.Key(function: FunctionKey(place: place, name: "f"), qualifier: "1")
    func level(_ mebibytes: Int64, since second: Int64) -> ProvisionedMeter.Level {
      .init(key: key, mebibytes: mebibytes, since: Timestamp(milliseconds: second * 1000))
    }
    func at(_ second: Int64) -> Timestamp { Timestamp(milliseconds: second * 1000) }
    var meter = ProvisionedMeter()
    #expect(meter.read([], now: at(0)).isEmpty)
    // Begun: five minutes at once.
    #expect(meter.read([level(256, since: 10)], now: at(11)) == [key: 256 * 300_000])
    #expect(meter.read([level(256, since: 10)], now: at(309)).isEmpty)
    #expect(meter.read([level(256, since: 10)], now: at(310)) == [key: 256 * 300_000])
    // An hour passes in a moment.
    #expect(meter.read([level(256, since: 10)], now: at(3910)) == [key: 12 * 256 * 300_000])
    // More, with 200 seconds to go.
    #expect(meter.read([level(512, since: 4010)], now: at(4010)) == [key: 256 * 200_000])
    #expect(meter.read([level(128, since: 4020)], now: at(4020)).isEmpty)
    #expect(meter.read([level(128, since: 4020)], now: at(4210)) == [key: 128 * 300_000])
    // No more, and again.
    #expect(meter.read([], now: at(4300)).isEmpty)
    #expect(meter.read([level(128, since: 4301)], now: at(4301)) == [key: 128 * 300_000])

    // What a server finds when it starts was charged by the one before it.
    var restarted = ProvisionedMeter()
    #expect(restarted.read([level(256, since: 10)], now: at(400)).isEmpty)
    #expect(restarted.read([level(256, since: 10)], now: at(609)).isEmpty)
    #expect(restarted.read([level(256, since: 10)], now: at(610)) == [key: 256 * 300_000])
  }
}
