// Where an environment comes from: what serves its runtime, what it is made of, and what of that is there already.
import MartletCore
import MartletSandbox

struct EnvironmentSource {
  let served: RuntimeCatalog.Served
  let setup: EnvironmentSetup
  /// Whose runtime waits for it; nil: it starts its own.
  let stemCell: StemCell?
  /// Its runtime is forked from a snapshot, and has initialised.
  let isForked: Bool
  /// Its process is to become the version's snapshot.
  let isSnapshot: Bool

  /// - Throws: 502 if this host has no interpreter.
  init(
    _ c: FunctionConfiguration, _ parts: EnvironmentParts, isProvisioned: Bool, trial: Environment.Trial?
  ) throws(AWSError) {
    let identifier = RuntimeCatalog.identifier(c.runtime ?? "")
    served =
      c.image != nil
      ? .bootstrap : identifier.map { parts.runtimes.serves($0) } ?? .missing("the identifier is unknown")
    if case .missing(let advice) = served {
      throw .runtimeMissing("The runtime \(c.runtime ?? "") is not available: \(advice).")
    }
    let snapshots = c.isSnapStarted && identifier?.family == .python ? parts.snapshots : nil
    let found = trial == nil ? snapshots?.take(for: c) : nil
    if let prepared = found?.prepared {
      (setup, stemCell, isForked, isSnapshot) = (prepared.setup, prepared.cell, true, false)
      return
    }
    var setup: EnvironmentSetup
    if let image = c.image {
      setup = try EnvironmentSetup(image: image, of: c, parts: parts, isProvisioned: isProvisioned)
    } else {
      setup = try EnvironmentSetup(
        c, family: identifier?.family ?? .provided, served: served,
        image: identifier.flatMap { parts.runtimes.imageRoot($0) }, parts: parts, isProvisioned: isProvisioned)
    }
    let canBeForked = snapshots != nil && setup.canBeForked(c, served)
    if !canBeForked { snapshots?.failed(c, "its runtime is started in another way") }
    isSnapshot = trial != nil && canBeForked && (trial?.isForSnapshot == true || snapshots?.begins(c) == true)
    if isSnapshot { setup.becomeSnapshot(.initialised) }
    if let snapshot = found?.snapshot, canBeForked { setup.fork(from: snapshot) }
    isForked = setup.specification.zygote != nil
    guard !isForked, !isSnapshot else {
      (stemCell, self.setup) = (nil, setup)
      return
    }
    let ahead = parts.functionZygotes?.take(for: c, setup, served)
    if let zygote = ahead?.zygote { setup.fork(from: zygote) }
    stemCell = ahead?.cell ?? (ahead?.zygote == nil ? parts.stemCell(setup, c, served) : nil)
    self.setup = setup
  }
}

extension Environment {
  /// What an environment is for that is made to see whether a version initialises.
  struct Trial: Sendable {
    /// Its process is to be forked afterwards.
    let isForSnapshot: Bool
    /// Hears once what has failed, if anything.
    let told: @Sendable (FunctionFailure?) -> Void
  }
}
