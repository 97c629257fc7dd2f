// The rules of the house, as tests: who may import whom, how long things may be, what is in which table.
import FoundationEssentials
import MartletCloud
import MartletWire
import Testing

@testable import MartletLambda

@Suite struct TidyTests {
  static let root = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }

  struct Source {
    let path: String
    let lines: [Substring]
    var target: String { String(path.split(separator: "/")[1]) }
  }

  static let sources: [Source] = files(in: "Sources", suffix: ".swift")
  static let tests: [Source] = files(in: "Tests", suffix: ".swift")

  static func files(in directory: String, suffix: String) -> [Source] {
    let paths = (try? FileManager.default.subpathsOfDirectory(atPath: "\(root)/\(directory)")) ?? []
    return paths.filter { $0.hasSuffix(suffix) }.sorted().map { path in
      let text = FileManager.default.contents(atPath: "\(root)/\(directory)/\(path)").map {
        String(decoding: $0, as: UTF8.self)
      }
      return Source(
        path: "\(directory)/\(path)", lines: (text ?? "").split(separator: "\n", omittingEmptySubsequences: false))
    }
  }

  /// What each box may import (docs/architecture.md). Foundation itself only where a package demands it.
  static let imports: [String: Set<String>] = [
    "MartletCore": ["Logging"],
    "MartletWire": ["MartletCore", "CCrypto", "NIOCore", "NIOPosix", "NIOHTTP1", "Logging"],
    "MartletTLS": ["MartletCore", "MartletWire", "NIOCore", "NIOSSL"],
    "MartletStore": ["MartletCore", "GRDB", "Foundation", "Dispatch"],
    "MartletSandbox": ["MartletCore", "CMartlet", "CArchive", "Logging", "Dispatch"],
    "MartletLambda": [
      "MartletCore", "MartletWire", "MartletStore", "MartletSandbox", "MartletRuntimes", "NIOCore", "NIOPosix",
      "NIOHTTP1",
      "Logging",
    ],
    "MartletCloud": [
      "MartletCore", "MartletWire", "MartletStore", "NIOCore", "NIOPosix", "NIOHTTP1", "Logging",
    ],
    "MartletServer": [
      "MartletCloud", "MartletCore", "MartletWire", "MartletStore", "MartletSandbox", "MartletLambda", "MartletTLS",
      "NIOCore", "NIOPosix",
      "NIOHTTP1",
      "Logging", "ServiceLifecycle", "UnixSignals",
    ],
    "martlet": [
      "MartletServer", "MartletLambda", "MartletSandbox", "MartletWire", "MartletCore", "ArgumentParser", "Logging",
      "NIOCore",
      "NIOHTTP1", "Dispatch",
    ],
  ]
  static let everywhere: Set<String> = ["Glibc", "FoundationEssentials", "Synchronization"]

  @Test func importsFollowTheTable() {
    for source in TidyTests.sources {
      guard let allowed = TidyTests.imports[source.target] else { continue }
      for line in source.lines where line.hasPrefix("import ") {
        let module = String(line.split(separator: " ")[1])
        #expect(allowed.contains(module) || TidyTests.everywhere.contains(module), "\(source.path) imports \(module)")
      }
    }
  }

  @Test func everyFileBeginsWithWhatItIs() {
    for source in TidyTests.sources + TidyTests.tests {
      #expect(source.lines.first?.hasPrefix("// ") == true, "\(source.path) does not say what it is")
    }
  }

  @Test func linesAndFilesAreShort() {
    for source in TidyTests.sources + TidyTests.tests {
      #expect(source.lines.count <= 600, "\(source.path) has \(source.lines.count) lines")
      // Bytes first: columns take time to count.
      for (number, line) in source.lines.enumerated()
      where line.utf8.count > 120 && line.count > 120 && !line.contains("#\"") {
        let isLongText = line.contains("\"") || line.contains("http")
        #expect(isLongText && line.count <= 420, "\(source.path):\(number + 1) has \(line.count) columns")
      }
    }
  }

  @Test func functionsAreShort() {
    for source in TidyTests.sources {
      var start: (line: Int, indent: Int)?
      for (number, line) in source.lines.enumerated() {
        let indent = line.prefix { $0 == " " }.count
        let words = line.dropFirst(indent)
        if start == nil, words.contains("func ") || words.hasPrefix("init") || words.contains(" init("),
          words.hasSuffix("{")
        {
          start = (number, indent)
        } else if let begun = start, indent == begun.indent, words.hasPrefix("}") {
          #expect(
            number - begun.line <= 70, "\(source.path):\(begun.line + 1) is a function of \(number - begun.line) lines")
          start = nil
        }
      }
    }
  }

  @Test func nothingForbidden() {
    for source in TidyTests.sources {
      for (number, line) in source.lines.enumerated() {
        for word in ["try!", "print(", "FIXME", "TODO", "as!", "fatalError("] {
          #expect(!line.contains(word), "\(source.path):\(number + 1) has \(word)")
        }
      }
    }
  }

  @Test func typeNamesAvoidEmptyWords() {
    let empty = ["Manager", "Helper", "Util", "Impl", "Provider"]
    for source in TidyTests.sources {
      let name = source.path.split(separator: "/").last.map(String.init) ?? ""
      // The one word of AWS's that has one of them in it.
      let rest = name.split(separator: "CapacityProvider").joined()
      #expect(!empty.contains { rest.contains($0) }, "\(source.path)")
    }
  }

  /// Of each service: its rows, and which of them are written.
  static let tables: [(service: String, rows: [(route: Route, isWritten: Bool)])] = [
    ("Lambda", LambdaService.rows.map { ($0.route, $0.isWritten) }),
    ("CloudWatch", CloudWatchService.rows.map { ($0.route, $0.isWritten) }),
    ("IAM", IAMService.rows.map { ($0.route, $0.isWritten) }),
    ("STS", STSService.rows.map { ($0.route, $0.isWritten) }),
    ("Scheduler", SchedulerService.rows.map { ($0.route, $0.isWritten) }),
    ("SNS", SNSService.rows.map { ($0.route, $0.isWritten) }),
    ("EventBridge", EventBridgeService.rows.map { ($0.route, $0.isWritten) }),
    ("Kinesis", KinesisService.rows.map { ($0.route, $0.isWritten) }),
    ("SQS", SQSService.rows.map { ($0.route, $0.isWritten) }),
    ("S3", S3Service.rows.map { ($0.route, $0.isWritten) }),
    ("Logs", LogsService.rows.map { ($0.route, $0.isWritten) }),
    ("XRay", XRayService.rows.map { ($0.route, $0.isWritten) }),
  ]

  @Test func everyOperationHasItsFileAndItsRow() {
    for (service, rows) in TidyTests.tables {
      let files = Set(
        TidyTests.sources.filter { $0.path.contains("/Operations/\(service).") }
          .map { String($0.path.split(separator: "/").last?.dropLast(6) ?? "") })
      let built = Set(rows.filter(\.isWritten).map(\.route.name))
      #expect(files == built, "files and rows differ: \(files.symmetricDifference(built).sorted())")
      #expect(rows.map(\.route.name) == rows.map(\.route.name).sorted(), "rows are alphabetical")
    }
  }

  @Test func everyBuiltOperationIsTested() {
    let python = TidyTests.files(in: "Tests/EndToEndTests", suffix: ".py")
    let text = (TidyTests.tests + python).flatMap(\.lines).joined(separator: "\n")
    for row in TidyTests.tables.flatMap(\.rows) where row.isWritten {
      let name = row.route.action
      let snake = name.reduce("") { $0 + ($1.isUppercase && !$0.isEmpty ? "_" : "") + $1.lowercased() }
      #expect(
        text.contains(name) || text.contains("\(snake)(") || text.contains("\"\(snake)\""), "no test calls \(name)")
    }
  }
}
