// What replaces an image's own settings: `ImageConfig`. Functions from images are not built yet.
// https://docs.aws.amazon.com/lambda/latest/api/API_ImageConfig.html
import MartletWire

struct ImageConfiguration: Sendable {
  let entryPoint: [String]?
  let command: [String]?
  let workingDirectory: String?

  init(_ m: Members) {
    entryPoint = m.strings("EntryPoint", count: 0...1500)
    command = m.strings("Command", count: 0...1500)
    workingDirectory = m.string("WorkingDirectory", .length(0, 1000))
  }

  var isEmpty: Bool { (entryPoint ?? []).isEmpty && (command ?? []).isEmpty && workingDirectory == nil }
}
