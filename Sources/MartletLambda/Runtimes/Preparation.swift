// What is done once, before functions are ready to run, so that no cold start does it (docs/fast-start.md).
import MartletCore

package protocol Preparation: Sendable {
  /// True if there is something to do for a version, which may take a while.
  func isWanted(_ c: FunctionConfiguration) -> Bool
  /// Does it, unless it was done before. Whatever goes wrong, the version runs all the same.
  func prepare(_ c: FunctionConfiguration) async
  /// What of it is under way or to be done yet, as a sentence; nil: nothing.
  func progress(of c: FunctionConfiguration) -> String?
  /// A version was published that is ready to run: others of its function may do this for themselves already.
  func published(_ c: FunctionConfiguration)
  /// What is under way is given up.
  func stop()
}

extension Preparation {
  package func published(_ c: FunctionConfiguration) {}
}

extension RuntimeCatalog {
  /// The interpreter of this host on which a function of a family runs; nil if its runtime has a root of its own.
  func hostInterpreter(of c: FunctionConfiguration, _ family: RuntimeFamily) -> Interpreter? {
    guard c.image == nil, let identifier = RuntimeCatalog.identifier(c.runtime ?? ""),
      case .interpreter(let found) = serves(identifier), found.family == family, found.root == nil
    else { return nil }
    return found
  }
}
