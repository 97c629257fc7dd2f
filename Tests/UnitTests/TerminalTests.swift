// What commands show in a terminal: charts, tuned sizes, and the screen of martlet top.
import MartletServer
import MartletWire
import Testing

struct TerminalTests {
  // MARK: - Charts

  @Test func barsAreAsLongAsTheirValues() {
    let chart = BarChart(
      [
        .init(label: "a", value: 8, note: "eight"), .init(label: "bb", value: 4, note: "four"),
        .init(label: "c", value: 0, note: "none"), .init(label: "d", value: 0.001, note: "little"),
        .init(label: "e", value: .infinity, note: "all"),
      ], width: 8)
    #expect(
      chart.lines == [
        " a  ████████  eight", "bb  ████      four", " c            none", " d  ▏         little", " e            all",
      ])
    #expect(BarChart([]).lines.isEmpty)
    #expect(BarChart([.init(label: "x", value: 0, note: "")], width: 2).lines == ["x      "])
    // An eighth of a column is the finest step.
    #expect(
      BarChart([.init(label: "", value: 16, note: ""), .init(label: "", value: 1, note: "")], width: 2).lines[1]
        == "  ▏   ")
  }

  // MARK: - Tuning

  private func report(_ duration: Double, _ memory: Int64, initialisation: Double? = nil) throws -> LambdaReport {
    let begun = initialisation.map { "\tInit Duration: \($0) ms" } ?? ""
    let billed = Int64((duration + (initialisation ?? 0)).rounded(.up))
    return try #require(
      LambdaReport(
        log:
          "REPORT RequestId: x\tDuration: \(duration) ms\tBilled Duration: \(billed) ms\tMemory Size: \(memory) MB\tMax Memory Used: 40 MB\(begun)\t"
      ))
  }

  private func size(_ memory: Int, _ durations: [Double]) throws -> PowerTuning.Size {
    PowerTuning.Size(
      memory: memory, cold: try report(5, Int64(memory), initialisation: 100),
      warm: try durations.map { try report($0, Int64(memory)) })
  }

  @Test func theCheapestAndTheFastestAreNamed() throws {
    let sizes = [
      try size(128, [100, 100, 100]), try size(256, [50, 50, 50]), try size(512, [40, 40, 40]),
      try size(1024, [40, 40, 40]),
    ]
    let tuning = PowerTuning(sizes, prices: try PriceTable.carried(), architecture: .x86, storage: 512)
    // As much memory for half of the time costs the same: then time decides.
    #expect(tuning.costOfMillion(sizes[0]) == tuning.costOfMillion(sizes[1]))
    #expect(tuning.cheapest?.memory == 256)
    #expect(tuning.fastest?.memory == 512)
    // 100 ms of an eighth of a GB, and the request.
    #expect(tuning.costOfMillion(sizes[0]).text(8) == "0.40833375")
    #expect(PowerTuning([], prices: try PriceTable.carried(), architecture: .arm, storage: 512).cheapest == nil)
    let rows = tuning.rows { $0.short }
    #expect(rows[0] == ["128 MB", "40 MB", "105.00 ms", "100.00 ms", "100.00 ms", "100.00 ms", "100.00 ms", "0.4083"])
    let chart = tuning.chart({ $0.short }, width: 10)
    #expect(chart.contains(" 128 MB  ██████████  100.00 ms") && chart.contains("Cost of a million"))
  }

  @Test func percentilesAreValuesThatWereMeasured() throws {
    let one = try size(128, [5, 1, 4, 2, 3])
    #expect(one.percentile(0.5) == 3)
    #expect(one.percentile(0.95) == 5)
    #expect(one.average == 3)
    #expect(try size(128, [7]).percentile(0.95) == 7)
    #expect(one.coldTime == 105)
  }

  // MARK: - Top

  @Test func expositionsAreReadAsTheyAreWritten() {
    let reader = ExpositionReader(
      """
      # HELP a Something.
      # TYPE a counter
      a 1
      a{x="1",y="with \\"quotes\\", \\\\ and \\n"} 2.5
      broken{x="1
      a{x="2"} nothing
      b{} 7 1234
      """)
    #expect(reader["a"].map(\.value) == [1, 2.5])
    #expect(reader["a"][1].labels == ["x": "1", "y": "with \"quotes\", \\ and \n"])
    #expect(reader.value("a") == 3.5)
    #expect(reader.value("a", ["x": "1"]) == 2.5)
    #expect(reader.value("b") == 7)
    #expect(reader.value("c") == nil && reader.value("a", ["x": "3"]) == nil)
  }

  private static func metrics(_ invocations: Int, _ errors: Int = 0) -> String {
    let here = "account=\"1\",region=\"r\""
    return """
      martlet_function_invocations_total{\(here),function="f"} \(invocations)
      martlet_function_errors_total{\(here),function="f"} \(errors)
      martlet_function_cold_starts_total{\(here),function="f"} 2
      martlet_function_environments{\(here),function="f",state="busy"} 3
      martlet_function_environments{\(here),function="f",state="idle"} 1
      martlet_function_invocations_total{\(here),function="idle"} 900
      martlet_function_invocations_total{account="2",region="r",function="other"} 5
      martlet_sqs_messages{\(here),queue="q",state="visible"} 4
      martlet_sqs_messages{\(here),queue="q",state="in_flight"} 1
      martlet_sqs_messages{\(here),queue="q",state="delayed"} 0
      martlet_sqs_oldest_message_age_seconds{\(here),queue="q"} 7300
      martlet_async_events{state="waiting"} 6
      martlet_async_oldest_event_age_seconds 61
      martlet_environments{state="busy"} 3
      martlet_environments{state="idle"} 1
      martlet_concurrency_limit 1000
      martlet_host_memory_bytes{state="total"} 8589934592
      martlet_host_memory_bytes{state="available"} 4294967296
      process_resident_memory_bytes 104857600
      """
  }

  private func screen() throws -> TopScreen {
    var extras = TopScreen.Extras()
    extras.now = "2026-11-21T20:00:00Z"
    extras.endpoint = "http://127.0.0.1:4566"
    extras.functions = 9
    extras.medians = ["f": 1.5]
    extras.fastStart = try JSONValue(
      parsing:
        #"{"enabled":true,"zygotes":[{"up":true},{"up":false}],"forksReady":3,"nestsReady":8,"#
        + #""stemCells":[{"ready":1,"taken":5,"missed":0},{"ready":1,"taken":0,"missed":1}],"#
        + #""functionZygotes":[{"up":true,"starts":3}],"snapshots":[{"up":true,"starts":7},{"up":false,"starts":9}]}"#)
    return TopScreen(
      .init(TerminalTests.metrics(120, 4), moment: 5_000_000_000),
      since: .init(TerminalTests.metrics(100), moment: 3_000_000_000), place: ["account": "1", "region": "r"], extras)
  }

  @Test func ratesAreOfTheTimeBetween() throws {
    let screen = try screen()
    #expect(screen.functions.map(\.name) == ["f", "idle"])
    #expect(screen.functions[0].rate == 10 && screen.functions[1].rate == 0)
    #expect(screen.functions[0].busy == 3 && screen.functions[0].errors == 4 && screen.functions[0].median == 1.5)
    let queue = try #require(screen.queues.first)
    #expect(queue.name == "q" && queue.visible == 4 && queue.inFlight == 1 && queue.oldest == 7300)
    let lines = screen.lines()
    #expect(lines[0] == "http://127.0.0.1:4566  1  r  2026-11-21T20:00:00Z")
    #expect(lines[1] == "9 functions, 4 environments: 3 busy, 1 idle; concurrency limit 1000")
    #expect(lines[2] == "10.0 invocations/s, 2.0 errors/s, 0.0 throttles/s, 0.0 cold starts/s")
    #expect(lines[3] == "asynchronous events: 6 waiting, 0 running, oldest 61s")
    #expect(
      lines[4].hasPrefix(
        "fast start: 1 zygotes, 3 forks ready (0 taken, 0 too late), 2 stem cells ready (5 taken, 1 too late), "
          + "1 zygotes of functions (3 forked), 1 snapshots (7 forked), 8 sandboxes ready"))
    #expect(lines[5] == "host: 4.0 of 8.0 GB used; server: 100 MB, 0.0 % of a cpu")
    #expect(lines.contains("f            3     1  10.0      120     2       4          0  1.50 ms    -"))
    #expect(lines.last == "q            4          1        0      2h")
    #expect(screen.json["Functions"]?.array?.first?["InvocationsPerSecond"]?.number == 10)
  }

  @Test func aSmallTerminalIsNotLeft() throws {
    let screen = try screen()
    for height in 1...20 {
      let lines = screen.lines(width: 30, height: height)
      #expect(lines.count <= height && lines.allSatisfy { $0.count <= 30 })
    }
    #expect(screen.lines(width: 200, height: 40) == screen.lines())
    // Without time between two looks there is no rate.
    let same = TopScreen.Reading(TerminalTests.metrics(5), moment: 1)
    #expect(TopScreen(same, since: same, place: [:], .init()).functions.first?.rate == 0)
  }
}
