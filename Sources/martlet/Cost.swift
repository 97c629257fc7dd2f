// `martlet cost`: what AWS would have charged for what ran here. Over the public API of CloudWatch.
import ArgumentParser
import MartletCore
import MartletServer
import MartletWire

struct Cost: WaitingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what AWS would have charged for what ran here, by function and in total.",
    discussion: """
      Functions are at list price. The free tier and the price of large amounts are those of an account in a calendar \
      month, so they are taken off the sum; of a single function nothing is. Estimates: see docs/cost.md.
      """)

  @Argument(help: "Only this function.")
  var name: String?

  @Option(help: "How far back: 90s, 10m, 24h, 7d; or month, which is the calendar month so far (default).")
  var since = "month"

  @Flag(name: .customLong("no-free-tier"), help: "As for an account that has used its free tier up.")
  var noFreeTier = false

  @Option(help: "text or json.")
  var output = OutputFormat.text

  @Flag(help: "The same as --output json.")
  var json = false

  @OptionGroup var prices: PriceOptions

  @OptionGroup var server: ServerOptions

  fileprivate struct Row {
    let function: String
    let architecture: Architecture
    let use: Usage
    let charges: Charges
  }

  func perform() async throws {
    let table = try prices.table()
    let reader = MetricReader(server: server)
    let now = try await reader.now() + 1
    let months = BilledMonths(from: try start(now), to: now)
    let rows = try await rows(reader, table, months)
    let bill = name == nil ? try await bill(reader, table, months) : nil
    if json || output == .json {
      say(rows, bill, table, months)
    } else {
      draw(rows, bill, table, months)
    }
  }

  private func start(_ now: Int64) throws -> Int64 {
    if since == "month" { return BilledMonths.month(of: now).start }
    guard let span = Duration.parse(since), span > .zero else {
      throw ValidationError("--since: \(since) is neither of the form 90s, 10m, 24h or 7d nor month")
    }
    return max(0, now - span.components.seconds)
  }

  // MARK: - Asking

  private func rows(_ reader: MetricReader, _ table: PriceTable, _ months: BilledMonths) async throws -> [Row] {
    var wanted: [(function: String, architecture: Architecture)] = []
    if let name {
      // A name may be an ARN.
      let short = name.hasPrefix("arn:") ? String(name.split(separator: ":").dropFirst(6).first ?? "") : name
      wanted = Architecture.allCases.map { (short, $0) }
    } else {
      var seen: Set<[String]> = []
      for dimensions in try await reader.dimensions(in: UsageQuestions.space) {
        guard let function = dimensions["FunctionName"],
          let architecture = dimensions["Architecture"].flatMap({ Architecture(rawValue: $0) }),
          seen.insert([function, architecture.rawValue]).inserted
        else { continue }
        wanted.append((function, architecture))
      }
      wanted.sort { ($0.function, $0.architecture.rawValue) < ($1.function, $1.architecture.rawValue) }
    }
    let uses = try await sums(
      reader, wanted.map { [("Architecture", $0.architecture.rawValue), ("FunctionName", $0.function)] },
      months.months.map(\.asked))
    return zip(wanted, uses).compactMap { one, use in
      guard use != Usage() else { return nil }
      return Row(
        function: one.function, architecture: one.architecture, use: use,
        charges: table.charges(use, one.architecture))
    }
  }

  /// The account's bills of the months until the end of the time, without what comes before it.
  private func bill(_ reader: MetricReader, _ table: PriceTable, _ months: BilledMonths) async throws -> Bill {
    var sum = Bill()
    for month in months.months {
      let before = try await account(reader, month.before)
      let whole = try await account(reader, BilledMonths.Span(start: month.before.start, end: month.asked.end))
      sum += table.bill(whole, hasFreeTier: !noFreeTier) - table.bill(before, hasFreeTier: !noFreeTier)
    }
    return sum
  }

  private func account(_ reader: MetricReader, _ span: BilledMonths.Span) async throws -> Usages {
    let all = Architecture.allCases
    let uses = try await sums(reader, all.map { [("Architecture", $0.rawValue)] }, [span])
    return Usages(zip(all, uses), uniquingKeysWith: { $1 })
  }

  /// For each list of dimensions what was used in all of the spans.
  private func sums(
    _ reader: MetricReader, _ dimensions: [[(name: String, value: String)]], _ spans: [BilledMonths.Span]
  ) async throws -> [Usage] {
    let questions = dimensions.flatMap { dimensions in
      UsageQuestions.all.map {
        MetricReader.Question(
          space: UsageQuestions.space, name: $0.name, dimensions: dimensions, statistic: "Sum")
      }
    }
    var uses = [Usage](repeating: Usage(), count: dimensions.count)
    for span in spans {
      let values = try await reader.values(questions, from: span.start, to: span.end)
      for (index, value) in values.enumerated() {
        guard let value, value > 0, value < 9e18 else { continue }
        let (owner, metric) = index.quotientAndRemainder(dividingBy: UsageQuestions.all.count)
        uses[owner][keyPath: UsageQuestions.all[metric].member] += Int64(value)
      }
    }
    return uses
  }

  // MARK: - Telling

  private func draw(_ rows: [Row], _ bill: Bill?, _ table: PriceTable, _ months: BilledMonths) {
    guard let first = months.months.first, !rows.isEmpty || bill?.list ?? .zero > .zero else {
      return Console.say("Nothing ran that AWS charges for.")
    }
    let head = [
      "FUNCTION", "ARCHITECTURE", "REQUESTS", "BILLED", "GB-S", "REQUESTS", "DURATION", "PROVISIONED", "STORAGE",
      "STREAMING", "TOTAL",
    ]
    let cells = rows.map { row in
      [
        row.function, row.architecture.rawValue, "\(row.use.requests)", "\(row.use.billed) ms",
        Cost.gigabyteSeconds(row.use),
      ]
        + [
          row.charges.requests, row.charges.duration, row.charges.provisioned, row.charges.storage,
          row.charges.streaming, row.charges.total,
        ].map { $0 == .zero ? "-" : table.amount($0) }
    }
    Console.say(Console.table([head] + cells))
    var sums: [[String]] = []
    let shown = rows.reduce(Money.zero) { $0 + $1.charges.total }
    if let bill {
      // Functions that have said nothing for two weeks are not listed any more, but counted.
      if bill.list != shown { sums.append(["not listed any more", table.amount(bill.list - shown)]) }
      sums.append(["list price", table.amount(bill.list)])
      if bill.free != .zero { sums.append(["free tier", table.amount(.zero - bill.free)]) }
      if bill.tiers != .zero { sums.append(["larger amounts", table.amount(.zero - bill.tiers)]) }
      sums.append(["AWS would charge", table.amount(bill.total)])
    } else {
      sums.append(["list price", table.amount(shown)])
    }
    let since = Timestamp(milliseconds: first.asked.start * 1000).iso8601Seconds
    Console.say("\n" + Console.table(sums))
    Console.say("\nSince \(since); prices of \(table.region), \(table.date). An estimate.")
  }

  private static func gigabyteSeconds(_ use: Usage) -> String {
    let (whole, thousandths) = use.milliGBSeconds.quotientAndRemainder(dividingBy: 1000)
    return "\(whole).\(String(1000 + thousandths).dropFirst())"
  }

  private func say(_ rows: [Row], _ bill: Bill?, _ table: PriceTable, _ months: BilledMonths) {
    let functions = rows.map { row in
      JSONValue.members(
        ("FunctionName", .string(row.function)), ("Architecture", .string(row.architecture.rawValue)),
        ("Requests", .integer(row.use.requests)), ("BilledMilliseconds", .integer(row.use.billed)),
        ("GBSeconds", .double(Double(row.use.milliGBSeconds) / 1000)), ("Cost", Cost.json(row.charges)))
    }
    let totals = bill.map(\.rounded).map {
      JSONValue.members(
        ("List", .string($0.list.text(12))), ("FreeTier", .string($0.free.text(12))),
        ("LargerAmounts", .string($0.tiers.text(12))), ("Total", .string($0.total.text(12))))
    }
    let since = Timestamp(milliseconds: (months.months.first?.asked.start ?? 0) * 1000).iso8601Seconds
    Console.say(
      JSONValue.members(
        ("Since", .string(since)), ("Region", .string(table.region)), ("Currency", .string(table.currency)),
        ("PricesOf", .string(table.date)), ("Functions", .array(functions)), ("Bill", totals)
      ).pretty)
  }

  /// Exact amounts are text: no reader makes a binary fraction of them.
  private static func json(_ charges: Charges) -> JSONValue {
    .members(
      ("Requests", .string(charges.requests.text(12))), ("Duration", .string(charges.duration.text(12))),
      ("Provisioned", .string(charges.provisioned.text(12))), ("Storage", .string(charges.storage.text(12))),
      ("Streaming", .string(charges.streaming.text(12))), ("Total", .string(charges.total.text(12))))
  }
}
