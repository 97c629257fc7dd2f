// What Logs Insights finds in the lines that Lambda writes: @requestId, @duration, @type and their like.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html
import MartletCore

enum LambdaLine {
  static let fields: Set<String> = [
    "@requestId", "@type", "@duration", "@billedDuration", "@memorySize", "@maxMemoryUsed", "@initDuration",
    "@xrayTraceId", "@xraySegmentId",
  ]

  private static let labels: [(label: String, field: String, factor: Double)] = [
    ("Duration: ", "@duration", 1), ("Billed Duration: ", "@billedDuration", 1),
    ("Memory Size: ", "@memorySize", 1_000_000), ("Max Memory Used: ", "@maxMemoryUsed", 1_000_000),
    ("Init Duration: ", "@initDuration", 1),
  ]

  /// The fields of a line in the text format.
  static func fields(_ line: UnsafeRawBufferPointer) -> [String: QueryValue] {
    var found: [String: QueryValue] = [:]
    guard let type = ["START", "END", "REPORT"].first(where: { starts(line, "\($0) RequestId: ") }) else {
      if let id = requestID(line) { found["@requestId"] = .text(id) }
      return found
    }
    found["@type"] = .text(type)
    let id = line.dropFirst(type.utf8.count + 12).prefix { $0 != 9 && $0 != 10 && $0 != 0x20 }
    found["@requestId"] = .text(String(decoding: id, as: UTF8.self))
    guard type == "REPORT" else { return found }
    for part in line.split(whereSeparator: { $0 == 9 || $0 == 10 }) {
      let text = String(decoding: part, as: UTF8.self)
      for (label, field, factor) in labels where text.hasPrefix(label) {
        let digits = text.dropFirst(label.count).prefix { $0.isNumber || $0 == "." }
        if let number = Double(digits) { found[field] = .number(number * factor) }
      }
      if text.hasPrefix("XRAY TraceId: ") { found["@xrayTraceId"] = .text(String(text.dropFirst(14))) }
      if text.hasPrefix("SegmentId: ") { found["@xraySegmentId"] = .text(String(text.dropFirst(11))) }
    }
    return found
  }

  private static func starts(_ line: UnsafeRawBufferPointer, _ text: String) -> Bool { line.starts(with: text.utf8) }

  /// The second or third word of a line that a runtime writes is the id of the invocation.
  private static func requestID(_ line: UnsafeRawBufferPointer) -> String? {
    for word in line.prefix(120).split(separator: 9, maxSplits: 3).dropFirst().prefix(2) where isID(word) {
      return String(decoding: word, as: UTF8.self)
    }
    return nil
  }

  private static func isID(_ word: Slice<UnsafeRawBufferPointer>) -> Bool {
    guard word.count == 36 else { return false }
    return word.enumerated().allSatisfy { place, byte in
      [8, 13, 18, 23].contains(place) ? byte == 45 : (48...57).contains(byte) || (97...102).contains(byte)
    }
  }

  /// Where the same stands in a line of the platform in JSON.
  static func path(_ field: String) -> (path: [String], factor: Double)? {
    switch field {
    case "@requestId": (["record", "requestId"], 1)
    case "@duration": (["record", "metrics", "durationMs"], 1)
    case "@billedDuration": (["record", "metrics", "billedDurationMs"], 1)
    case "@memorySize": (["record", "metrics", "memorySizeMB"], 1_000_000)
    case "@maxMemoryUsed": (["record", "metrics", "maxMemoryUsedMB"], 1_000_000)
    case "@initDuration": (["record", "metrics", "initDurationMs"], 1)
    default: nil
    }
  }

  /// `platform.report` is what REPORT is in the text format.
  static func type(_ platform: String) -> String? {
    switch platform {
    case "platform.start": "START"
    case "platform.runtimeDone": "END"
    case "platform.report": "REPORT"
    default: nil
    }
  }
}
