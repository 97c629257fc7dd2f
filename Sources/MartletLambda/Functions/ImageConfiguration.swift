// What replaces an image's own settings: `ImageConfig`.
// https://docs.aws.amazon.com/lambda/latest/api/API_ImageConfig.html
import MartletWire

struct ImageConfiguration: Sendable, Equatable {
  let entryPoint: [String]?
  let command: [String]?
  let workingDirectory: String?

  init(_ m: Members) {
    entryPoint = m.strings("EntryPoint", count: 0...1500)
    command = m.strings("Command", count: 0...1500)
    workingDirectory = m.string("WorkingDirectory", .length(0, 1000))
  }

  init(json: JSONValue) {
    entryPoint = json["EntryPoint"]?.array?.compactMap(\.string)
    command = json["Command"]?.array?.compactMap(\.string)
    workingDirectory = json["WorkingDirectory"]?.string
  }

  var isEmpty: Bool { (entryPoint ?? []).isEmpty && (command ?? []).isEmpty && (workingDirectory ?? "").isEmpty }

  func write(to w: inout MemberWriter) {
    if let entryPoint, !entryPoint.isEmpty { w.member("EntryPoint", entryPoint) }
    if let command, !command.isEmpty { w.member("Command", command) }
    if let workingDirectory, !workingDirectory.isEmpty { w.member("WorkingDirectory", workingDirectory) }
  }
}
