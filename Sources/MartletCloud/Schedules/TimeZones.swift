// The time zones that the host knows (the package tzdata), read when they are asked for.
import MartletCore
import MartletStore
import Synchronization

package final class TimeZones: Sendable {
  private let directory: String
  private let known = Mutex<[String: TimeZoneRules]>([:])

  package init(directory: String = "/usr/share/zoneinfo") { self.directory = directory }

  /// The rules of `Europe/Berlin` and the like; nil for what is no name of a zone. UTC is known without the host.
  package func find(_ name: String) -> TimeZoneRules? {
    if name == "UTC" { return .utc }
    if let rules = known.withLock({ $0[name] }) { return rules }
    guard TimeZones.isName(name), Files.exists("\(directory)/\(name)"),
      let bytes = try? Files.read("\(directory)/\(name)"), let rules = TimeZoneRules(tzif: bytes)
    else { return nil }
    known.withLock { $0[name] = rules }
    return rules
  }

  /// Nothing that leads out of the directory, and none of the parallel trees in it.
  private static func isName(_ name: String) -> Bool {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= 3, name.utf8.count <= 50, !["posix", "right", "localtime", "posixrules"].contains(parts[0])
    else { return false }
    return parts.allSatisfy { part in
      !part.isEmpty
        && part.utf8.allSatisfy {
          (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 45 || $0 == 95
            || $0 == 43
        }
    }
  }
}
