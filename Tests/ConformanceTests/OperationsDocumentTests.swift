// docs/operations.md says of every operation how much of it is built. It is made from the tables, here.
import Glibc
import MartletCloud
import MartletLambda
import MartletStore
import MartletWire
import Testing

@Suite struct OperationsDocumentTests {
  /// One service: its title, its words about itself, and its table.
  private struct Section {
    let title: String
    let words: String
    let rows: [(operation: String, stage: OperationStage)]

    init<S>(_ title: String, _ words: String, _ rows: [OperationRow<S>]) {
      self.title = title
      self.words = words
      self.rows = rows.map { row in
        let name = row.route.name
        return (String(name[(name.firstIndex(of: ".").map(name.index(after:)) ?? name.startIndex)...]), row.stage)
      }
    }
  }

  private static let sections = [
    Section(
      "Lambda", "Every operation of AWS's service model, in the order of their names.", LambdaService.rows),
    Section(
      "CloudTrail", "What was called, and by whom ([docs/audit.md](audit.md)).", CloudTrailService.rows),
    Section(
      "CloudWatch", "Metrics, in three protocols ([docs/metrics.md](metrics.md)).", CloudWatchService.rows),
    Section(
      "EventBridge", "Buses, rules and their targets, archives and replays ([docs/eventbridge.md](eventbridge.md)).",
      EventBridgeService.rows),
    Section("IAM", "What deployment tools call around a function.", IAMService.rows),
    Section(
      "Kinesis", "Streams, their shards and records ([docs/kinesis.md](kinesis.md)).", KinesisService.rows),
    Section("S3", "Buckets, and objects in them ([docs/s3.md](s3.md)).", S3Service.rows),
    Section(
      "Scheduler", "EventBridge Scheduler: once, at a rate, by cron ([docs/scheduler.md](scheduler.md)).",
      SchedulerService.rows),
    Section("SNS", "Topics and what is published to them ([docs/sns.md](sns.md)).", SNSService.rows),
    Section("Logs", "What functions log ([docs/logs.md](logs.md)).", LogsService.rows),
    Section("SQS", "Queues and their messages, in both protocols ([docs/sqs.md](sqs.md)).", SQSService.rows),
    Section("STS", "Who calls, and temporary credentials.", STSService.rows),
    Section(
      "XRay", "Traces, and how many are made ([docs/tracing.md](tracing.md)).", XRayService.rows),
  ]

  private static let path = "\(ServiceModel.here)/../../docs/operations.md"

  private static var text: String {
    var lines = [
      "# Operations", "",
      "Made from the tables of the services by `OperationsDocumentTests`, which fails when this page is stale; run it with",
      "`MARTLET_WRITE_DOCUMENTS=1` to write the page again.", "",
      "- **executes**: does what AWS does. Parameters that do not are listed in [UNIMPLEMENTED.txt](../UNIMPLEMENTED.txt).",
      "- **stored**: the input is checked and kept, and can be read back; it has no effect yet.",
      "- **not yet**: the operation answers with `NotImplementedException` (501) that names it.",
    ]
    for section in sections {
      func count(_ stage: OperationStage) -> Int { section.rows.filter { $0.stage == stage }.count }
      lines += [
        "", "## \(section.title)", "", section.words, "",
        "\(section.rows.count) operations: \(count(.executes)) execute, \(count(.stored)) are stored, "
          + "\(count(.notYet)) are not there yet.", "", "| Operation | |", "| --- | --- |",
      ]
      lines += section.rows.map { "| \($0.operation) | \($0.stage.rawValue) |" }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  @Test func operationsAreWrittenDown() throws {
    let text = OperationsDocumentTests.text
    if getenv("MARTLET_WRITE_DOCUMENTS") != nil {
      try Array(text.utf8).withUnsafeBytes {
        try Files.writeDurably($0, to: OperationsDocumentTests.path, mode: 0o644)
      }
    }
    let written = String(decoding: (try? Files.read(OperationsDocumentTests.path)) ?? [], as: UTF8.self)
    #expect(
      written == text, "docs/operations.md is stale: run this test with MARTLET_WRITE_DOCUMENTS=1 in the environment")
  }
}
