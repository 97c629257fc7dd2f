// The server reads whatever the network sends, so it does that as a user who can do nothing. Only `martlet-sandbox`,
// started before, keeps the privilege that making sandboxes needs.
import Glibc
import MartletCore

package enum Privileges {
  /// The user that a server started as root becomes when there is no user named `martlet`: a number that nobody has.
  static let defaultID: uid_t = 64_110

  package static var isRoot: Bool { geteuid() == 0 }

  /// The user to become; nil if there is nothing to give up.
  /// - Parameter wanted: a name or a number; `root` keeps the privilege, for those who must.
  package static func user(_ wanted: String?) throws(Fault) -> (user: uid_t, group: gid_t)? {
    guard isRoot, wanted != "root", wanted != "0" else { return nil }
    if let wanted, let number = uid_t(wanted) { return (number, gid_t(number)) }
    if let entry = getpwnam(wanted ?? "martlet") { return (entry.pointee.pw_uid, entry.pointee.pw_gid) }
    if let wanted { throw Fault("--user \(wanted)", "there is no such user; name another one, or give a number") }
    return (defaultID, defaultID)
  }

  /// Where memory runs out, the kernel is to end functions first, which say that they are willing. Without privilege
  /// the server stays where it is.
  static func outlastFunctions() {
    let descriptor = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    _ = write(descriptor, "-500", 4)
    close(descriptor)
  }

  /// Becomes `owner` in every thread, for good.
  package static func drop(to owner: (user: uid_t, group: gid_t)) throws(Fault) {
    guard setgroups(0, nil) == 0 else { throw Fault("setgroups", errno: errno) }
    guard setgid(owner.group) == 0 else { throw Fault("setgid", errno: errno) }
    guard setuid(owner.user) == 0 else { throw Fault("setuid", errno: errno) }
    guard setuid(0) != 0 else { throw Fault("drop privilege", "root could be taken back") }
  }

  /// A clear error if the user could not reach the directory, found before it is too late to say so.
  package static func checkReach(_ path: String, by owner: (user: uid_t, group: gid_t)) throws(Fault) {
    var directory = ""
    for part in path.split(separator: "/").dropLast() {
      directory += "/" + part
      var status = stat()
      if stat(directory, &status) != 0 && errno == ENOENT { return }  // made later, so that it can be passed
      guard stat(directory, &status) == 0 else { throw Fault("look at \(directory)", errno: errno) }
      let bits: mode_t = status.st_uid == owner.user ? 0o100 : status.st_gid == owner.group ? 0o010 : 0o001
      if status.st_mode & bits == 0 {
        throw Fault(
          "state directory \(path)",
          "the server runs as user \(owner.user), who may not enter \(directory); choose a directory that it can reach "
            + "with --state, or a user with --user")
      }
    }
  }
}
