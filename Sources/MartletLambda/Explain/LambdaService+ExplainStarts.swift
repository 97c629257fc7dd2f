// How the environments of a function start, and what keeps them from starting faster: docs/fast-start.md.
import MartletCore
import MartletSandbox
import MartletWire

extension LambdaService {
  /// What is ready for the next environment; nothing where there is no such function.
  /// - Parameter arn: a name or an ARN, with or without a qualifier.
  package func explain(startsOf arn: String, in place: Place, by parts: EnvironmentParts) -> Explanation {
    var found = Explanation("the function \(arn)")
    guard let reference = try? FunctionNameParts(arn)?.resolve(qualifier: nil, in: place),
      let record = functions.find(reference.key)
    else { return found }
    let qualifier = reference.qualifier ?? "$LATEST"
    if let version = record.aliases[qualifier]?.version ?? VersionName(qualifier),
      let configuration = record.configuration(version)
    {
      parts.explainStarts(of: configuration, &found)
    }
    return found
  }
}

extension EnvironmentParts {
  fileprivate func explainStarts(of c: FunctionConfiguration, _ found: inout Explanation) {
    guard c.image == nil else {
      return found.says("Each environment starts the program of its image: nothing of that is ready before.")
    }
    guard let identifier = RuntimeCatalog.identifier(c.runtime ?? "") else { return }
    let served = runtimes.serves(identifier)
    let interpreter: Interpreter?
    switch served {
    case .interpreter(let found): interpreter = found
    case .bootstrap: interpreter = nil
    case .missing: return
    }
    let name = interpreter == nil ? "the function's own bootstrap" : identifier.name
    guard let stemCells, let setup = setup(of: c) else {
      return found.says(
        "Each environment starts \(name): fast start is off. It takes root, --isolation full and --fast-start on.")
    }
    if interpreter?.family == .python, explainForks(of: c, setup, &found) { return }
    if let (isOwn, figures) = stemCells.figures(for: setup, c, served) {
      let (what, otherwise) =
        switch interpreter?.family {
        case .python: ("forks of a \(name) that is up, in sandboxes of its size", "forked")
        case nil: ("sandboxes of its size, for its own bootstrap", "made")
        case _ where isOwn: ("sandboxes in which \(name) is up and has loaded its classes", "started")
        default: ("sandboxes of its size in which \(name) is up", "started")
        }
      return found.holds(
        "Its environments take over \(what): \(Optional(figures).words(otherwise: otherwise)).")
    }
    if let interpreter, interpreter.family == .python,
      FastStart.fits(setup.program, RuntimeProgram.pythonZygote(interpreter))
    {
      return found.holds("Its environments are forked from a \(name) that is up, when they are needed.")
    }
    found.says("Each environment starts \(name): \(reasonToStart(c, setup, served) ?? "none of its kind waits").")
  }

  /// From a process of the version's own.
  /// - Returns: whether that is all there is to say.
  private func explainForks(
    of c: FunctionConfiguration, _ setup: EnvironmentSetup, _ found: inout Explanation
  ) -> Bool {
    let standing = (c.isSnapStarted ? snapshots?.standing(of: c) : functionZygotes?.standing(of: c)) ?? .unknown
    let what = c.isSnapStarted ? "a snapshot, in which it has initialised" : "a zygote of its own"
    switch standing {
    case .up(let cells):
      found.holds("Its environments are forked from \(what): \(cells.words(otherwise: "forked")).")
      return true
    case .coming: found.says("It will have \(what); that is not up yet.")
    case .unfit(let reason?): found.says("It does not have \(what): \(reason).")
    case .unknown where !setup.extensions.isEmpty:
      found.says("It does not have \(what): it has external extensions (\(setup.extensions[0].name)).")
    case .unfit(nil), .unknown: break
    }
    return false
  }

  /// Why neither a fork nor a runtime that is up will do; nil: nobody knows.
  private func reasonToStart(
    _ c: FunctionConfiguration, _ setup: EnvironmentSetup, _ served: RuntimeCatalog.Served
  ) -> String? {
    guard let kind = StemCellKind.of(served) else { return "there is nothing faster for its runtime" }
    if c.debugging != nil { return "it runs under a debugger" }
    if setup.image != nil { return "its runtime is an image" }
    if let variable = c.environment?.first(where: { kind.isReadAtStart($0.name) }) {
      return "its variable \(variable.name) is read only then"
    }
    if case .interpreter(let interpreter) = served, setup.program.arguments.first != interpreter.pathInRoot {
      return "it has a wrapper script"
    }
    if setup.specification.mounts.contains(where: { if case .writable = $0 { true } else { false } }) {
      return "it has a file system"
    }
    return nil
  }
}

extension StemCellFigures? {
  /// - Parameter otherwise: what is done with the runtime of an environment that finds none.
  fileprivate func words(otherwise: String) -> String {
    let (ready, coming, failures) = (self?.ready ?? 0, self?.coming ?? 0, self?.failures ?? 0)
    let waiting =
      ready == 1 ? "1 waits" : ready == 0 ? "none waits, so one is \(otherwise) when it is needed" : "\(ready) wait"
    return waiting + (coming > 0 ? ", \(coming) are being made" : "")
      + (ready == 0 && failures > 0 ? " (the last \(failures) failed: the server's log says why)" : "")
  }
}
