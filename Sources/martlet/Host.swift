// What the commands need to know of the machine they run on.
import FoundationEssentials
import Glibc
import MartletServer

enum Host {
  static var cores: Int { max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN))) }

  /// `martlet-sandbox` beside this program, unless MARTLET_SANDBOX names another.
  static func sandboxExecutable(_ variables: [String: String]) -> String {
    if let path = variables["MARTLET_SANDBOX"], !path.isEmpty { return path }
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "/usr/local/bin/martlet"
    return own.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 } + "/martlet-sandbox"
  }
}
