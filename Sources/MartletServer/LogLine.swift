// How the server's own log looks: one line per event on standard error, as text or as JSON.
import Glibc
import Logging
import MartletCore
import MartletWire

package struct LogLine: LogHandler {
  package var logLevel: Logger.Level
  package var metadata: Logger.Metadata = [:]
  private let format: ServerConfiguration.LogFormat
  private let world: any World

  package init(level: Logger.Level, format: ServerConfiguration.LogFormat, world: any World) {
    logLevel = level
    self.format = format
    self.world = world
  }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    let pairs = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
    var line: String
    switch format {
    case .text:
      line = "\(world.hostNow().iso8601) \(event.level.rawValue.uppercased()) \(event.message)"
      for pair in pairs { line += " \(pair.key)=\(pair.value)" }
    case .json:
      var json = JSONWriter()
      json.object { w in
        w.name("time")
        w.value(world.hostNow().iso8601)
        w.name("level")
        w.value(event.level.rawValue)
        w.name("message")
        w.value("\(event.message)")
        for pair in pairs {
          w.name(pair.key)
          w.value("\(pair.value)")
        }
      }
      line = json.text
    }
    line += "\n"
    _ = line.withCString { write(2, $0, strlen($0)) }
  }
}
