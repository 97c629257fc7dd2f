// `martlet tune`: a function at several memory sizes, in a copy that is made for it and goes afterwards. Over the
// public API of Lambda.
import ArgumentParser
import FoundationEssentials
import MartletCore
import MartletServer
import MartletWire
import NIOCore

struct Tune: WaitingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a function at several memory sizes, and show time and cost side by side.",
    discussion: """
      A copy of the function is measured, so that the function and its callers notice nothing; the copy is deleted \
      afterwards, also after Ctrl-C. What the function does it does many times. See docs/cost.md.
      """)

  @Argument(help: "Name or ARN of the function.")
  var name: String

  @Option(help: "The event: JSON text, @FILE, or - for standard input. Default: {}.")
  var payload = "{}"

  @Option(help: "Version or alias to measure (default $LATEST).")
  var qualifier: String?

  @Option(help: "Memory sizes in MB, with commas between them.")
  var sizes = "128,256,512,1024,1769,3008"

  @Option(help: "Invocations at each size, after the first one, which starts an environment.")
  var invocations = 20

  @Option(help: "text or json.")
  var output = OutputFormat.text

  @OptionGroup var prices: PriceOptions

  @OptionGroup var server: ServerOptions

  func perform() async throws {
    let (sizes, table, event) = (try wanted(), try prices.table(), try Invoke.event(payload))
    guard (1...10_000).contains(invocations) else { throw ValidationError("--invocations: from 1 to 10000") }
    let copy = try await FunctionCopy(of: name, qualifier, server)
    let work = Task { try await measure(copy, sizes, event) }
    let interrupt = Interrupt { work.cancel() }
    let result = await work.result
    // Not part of the work, so that it is done after Ctrl-C as well.
    await copy.remove()
    if interrupt.isOver {
      Console.complain("martlet: interrupted; the copy is deleted")
      throw ExitCode(130)
    }
    let tuning = PowerTuning(
      try result.get(), prices: table, architecture: copy.architecture, storage: copy.storage)
    switch output {
    case .text: say(tuning, table)
    case .json: Console.say(json(tuning, table).pretty)
    }
  }

  private func wanted() throws -> [Int] {
    let list = sizes.split(separator: ",").map { Int($0.filter { $0 != " " }) }
    guard !list.isEmpty, list.allSatisfy({ $0.map { (128...32768).contains($0) } ?? false }) else {
      throw ValidationError("--sizes: \(sizes) is not of the form 128,256,512")
    }
    return Set(list.compactMap(\.self)).sorted()
  }

  private func measure(_ copy: FunctionCopy, _ sizes: [Int], _ event: ByteBuffer) async throws -> [PowerTuning.Size] {
    // Not cancelled in the middle: a copy that the server makes must be known.
    try await Task { try await copy.create(memory: sizes[0]) }.value
    var measured: [PowerTuning.Size] = []
    for memory in sizes {
      try Task.checkCancellation()
      if output == .text { Console.complain("\(memory) MB: \(invocations + 1) invocations") }
      try await copy.resize(memory)
      let cold = try await copy.invoke(event)
      var warm: [LambdaReport] = []
      for _ in 0..<invocations {
        try Task.checkCancellation()
        warm.append(try await copy.invoke(event))
      }
      measured.append(PowerTuning.Size(memory: memory, cold: cold, warm: warm))
    }
    return measured
  }

  private func say(_ tuning: PowerTuning, _ table: PriceTable) {
    Console.say(Console.table([PowerTuning.columns] + tuning.rows(table.amount)))
    Console.say("\n" + tuning.chart(table.amount) + "\n")
    guard let cheapest = tuning.cheapest, let fastest = tuning.fastest else { return }
    Console.say("cheapest: \(cheapest.memory) MB, \(table.amount(tuning.costOfMillion(cheapest))) a million")
    Console.say("fastest:  \(fastest.memory) MB, \(PowerTuning.milliseconds(fastest.average)) on average")
  }

  private func json(_ tuning: PowerTuning, _ table: PriceTable) -> JSONValue {
    let sizes = tuning.sizes.map { size in
      JSONValue.members(
        ("MemorySize", .integer(Int64(size.memory))), ("MaxMemoryUsed", .integer(size.memoryUsed)),
        ("ColdMs", .double(size.coldTime)), ("AverageMs", .double(size.average)),
        ("P50Ms", .double(size.percentile(0.5))), ("P95Ms", .double(size.percentile(0.95))),
        ("AverageBilledMs", .double(size.averageBilled)), ("Invocations", .integer(Int64(size.warm.count))),
        ("CostOfMillion", .string(tuning.costOfMillion(size).text(6))))
    }
    return .members(
      ("Sizes", .array(sizes)), ("Cheapest", tuning.cheapest.map { .integer(Int64($0.memory)) }),
      ("Fastest", tuning.fastest.map { .integer(Int64($0.memory)) }), ("Currency", .string(table.currency)),
      ("PricesOf", .string(table.date)))
  }
}
