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
  /// Nothing is started: a sandbox waits that is whole but for the code, in which the function's own program will be.
  var isEmpty = false
  /// How many are made at one time.
  var abreast = Int.max
  /// Mebibytes of one that waits for the environments of one version only, whose classes it has loaded; nil: there are
  /// none of these.
  var ownWeight: Int?

  /// For functions that bring their runtime. Most of its memory is the kernel's. What there is to do `martlet-sandbox`
  /// does, one sandbox after the other: whoever calls meanwhile waits for those that were begun.
  static let sandbox = StemCellKind(weight: 4, readAtStart: [], isEmpty: true, abreast: 1)

  /// nil: there are none for what serves a runtime.
  static func of(_ served: RuntimeCatalog.Served) -> StemCellKind? {
    switch served {
    case .interpreter(let interpreter): of(interpreter)
    case .bootstrap: sandbox
    case .missing: nil
    }
  }

  /// nil: runtimes of this family are started.
  static func of(_ interpreter: Interpreter) -> StemCellKind? {
    switch interpreter.family {
    case .nodejs: StemCellKind(weight: 40, readAtStart: ["NODE_", "UV_", "SSL_", "OPENSSL_", "ICU_"])
    case .ruby: StemCellKind(weight: 20, readAtStart: ["RUBY", "GEM_", "BUNDLE", "OPENSSL_", "SSL_"])
    case .java:
      StemCellKind(
        weight: 60, readAtStart: ["JAVA_", "_JAVA_", "JDK_", "CLASSPATH", "NLSPATH"],
        flags: opening(interpreter.version), follows: true, ownWeight: 80)
    // A fork: most of its pages are its zygote's.
    case .python: StemCellKind(weight: 5, readAtStart: ["PYTHON", "OPENSSL_"], isForked: true)
    case .provided, .dotnet, .go: nil
    }
  }

  func isReadAtStart(_ name: String) -> Bool {
    !isEmpty && (StemCellKind.everywhere + readAtStart).contains { name.hasPrefix($0) }
  }

  private static let everywhere = ["LD_", "LC_", "LANG", "MALLOC_", "GLIBC_", "GCONV_", "LOCPATH"]

  /// Java's variables are changed where the C library keeps them. From 24 on the class by which others do that says so
  /// in the log, once: what a function has it say is not to be lost.
  private static func opening(_ version: String) -> [String] {
    let major = version.prefix { $0 != "." }
    return Int(major).map { $0 >= 24 } ?? false ? ["--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED"] : []
  }
}
