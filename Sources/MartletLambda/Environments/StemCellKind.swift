// What is different between the runtimes that wait as stem cells (docs/fast-start.md).
import MartletCore

struct StemCellKind {
  /// Mebibytes of the host's memory that one that waits has for itself (`Benchmarks/cold-start` measures it).
  let weight: Int
  /// Beginnings of the names of variables that the runtime reads when it starts, beside those that every program does.
  private let readAtStart: [String]
  /// What the interpreter is told in addition.
  var flags: [String] = []
  /// It is not started but forked, from the zygote of the same account.
  var isForked = false
  /// The runtime cannot change its directory: init does it.
  var follows = false

  /// nil: runtimes of this family are started.
  static func of(_ interpreter: Interpreter) -> StemCellKind? {
    switch interpreter.family {
    case .nodejs: StemCellKind(weight: 40, readAtStart: ["NODE_", "UV_", "SSL_", "OPENSSL_", "ICU_"])
    case .ruby: StemCellKind(weight: 20, readAtStart: ["RUBY", "GEM_", "BUNDLE", "OPENSSL_", "SSL_"])
    case .java:
      StemCellKind(
        weight: 60, readAtStart: ["JAVA_", "_JAVA_", "JDK_", "CLASSPATH", "NLSPATH"],
        flags: opening(interpreter.version), follows: true)
    // A fork: most of its pages are its zygote's.
    case .python: StemCellKind(weight: 8, readAtStart: ["PYTHON", "OPENSSL_"], isForked: true)
    case .provided, .dotnet, .go: nil
    }
  }

  func isReadAtStart(_ name: String) -> Bool {
    (StemCellKind.everywhere + readAtStart).contains { name.hasPrefix($0) }
  }

  private static let everywhere = ["LD_", "LC_", "LANG", "MALLOC_", "GLIBC_", "GCONV_", "LOCPATH"]

  /// Java's variables are changed where the C library keeps them. From 24 on the class by which others do that says so
  /// in the log, once: what a function has it say is not to be lost.
  private static func opening(_ version: String) -> [String] {
    let major = version.prefix { $0 != "." }
    return Int(major).map { $0 >= 24 } ?? false ? ["--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED"] : []
  }
}
