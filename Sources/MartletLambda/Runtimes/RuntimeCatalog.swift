// Every runtime identifier of AWS, and what serves it on this host (reference/runtime-api.md 1.8).
import MartletCore
import Synchronization

/// A kind of runtime: what starts it and which bootstrap it uses.
package enum RuntimeFamily: String, Sendable, CaseIterable {
  case python, nodejs, provided, java, ruby, dotnet, go
}

/// An identifier such as `python3.13`.
package struct RuntimeIdentifier: Sendable, Equatable {
  package let name: String
  package let family: RuntimeFamily
  /// What an interpreter's version must begin with, such as `3.13` or `22`; nil for OS-only runtimes.
  package let version: String?
  /// AWS no longer accepts it for new functions.
  package let isDeprecated: Bool

  /// AWS's model knows it, and the lists in AWS's messages do not name it yet.
  package let isAnnounced: Bool
  /// Named where AWS lists what it accepts.
  package var isListed: Bool { !isDeprecated && !isAnnounced }

  fileprivate init(
    _ name: String, _ family: RuntimeFamily, _ version: String?, deprecated: Bool = false, announced: Bool = false
  ) {
    self.name = name
    self.family = family
    self.version = version
    isDeprecated = deprecated
    isAnnounced = announced
  }
}

package final class RuntimeCatalog: Sendable {
  /// What AWS accepts, in the order of its own error message, then what it has retired.
  package static let identifiers: [RuntimeIdentifier] =
    [
      .init("nodejs20.x", .nodejs, "20"), .init("python3.14", .python, "3.14"),
      .init("provided.al2023", .provided, nil),
      .init("python3.12", .python, "3.12"), .init("python3.13", .python, "3.13"), .init("nodejs24.x", .nodejs, "24"),
      .init("nodejs22.x", .nodejs, "22"), .init("java25", .java, "25"), .init("python3.10", .python, "3.10"),
      .init("python3.11", .python, "3.11"), .init("java21", .java, "21"), .init("ruby3.3", .ruby, "3.3"),
      .init("ruby3.4", .ruby, "3.4"), .init("ruby3.2", .ruby, "3.2"), .init("python3.8", .python, "3.8"),
      .init("python3.9", .python, "3.9"), .init("java17", .java, "17"), .init("nodejs16.x", .nodejs, "16"),
      .init("dotnet10", .dotnet, "10"), .init("dotnet8", .dotnet, "8"), .init("java11", .java, "11"),
      .init("dotnet6", .dotnet, "6"), .init("nodejs18.x", .nodejs, "18"), .init("provided.al2", .provided, nil),
      .init("java8.al2", .java, "8"),
    ]
    + [
      .init("python3.7", .python, "3.7", deprecated: true), .init("python3.6", .python, "3.6", deprecated: true),
      .init("python2.7", .python, "2.7", deprecated: true), .init("nodejs14.x", .nodejs, "14", deprecated: true),
      .init("nodejs12.x", .nodejs, "12", deprecated: true), .init("nodejs10.x", .nodejs, "10", deprecated: true),
      .init("provided", .provided, nil, deprecated: true), .init("go1.x", .go, nil, deprecated: true),
      .init("java8", .java, "8", deprecated: true), .init("ruby2.7", .ruby, "2.7", deprecated: true),
      .init("dotnetcore3.1", .dotnet, "3.1", deprecated: true), .init("ruby4.0", .ruby, "4.0", announced: true),
    ]

  /// Families whose bootstrap is built.
  package static let builtFamilies: Set<RuntimeFamily> = [.python, .nodejs, .provided, .java, .ruby]

  /// The oldest versions that our bootstraps run on.
  static let oldest: [RuntimeFamily: String] = [.python: "3.7", .nodejs: "16", .ruby: "2.7", .java: "8"]

  /// What serves an identifier.
  package enum Served: Sendable, Equatable {
    case interpreter(Interpreter)
    /// Nothing but the function's own `bootstrap`.
    case bootstrap
    /// Nothing; the text names the fix.
    case missing(String)
  }

  private let interpreters: [Interpreter]
  /// Interpreters that somebody named for an identifier, whatever their version.
  private let chosen: [String: Interpreter]
  /// Where packs lie, which can be installed while the server runs; nil = none.
  private let packs: String?
  /// Interpreters whose path does not tell their version, asked once.
  private let asked = Mutex<[Interpreter]?>(nil)
  /// The same for those of `chosen`, by their paths.
  private let askedChosen = Mutex<[String: Interpreter]>([:])
  /// Those of the packs that were seen last.
  private let packed = Mutex<[Interpreter]>([])

  package init(interpreters: [Interpreter], chosen: [String: Interpreter] = [:], packs: String? = nil) {
    self.interpreters = interpreters
    self.chosen = chosen
    self.packs = packs
  }

  /// Reads `IDENTIFIER=PATH`, as given with `--runtime`.
  /// - Throws: a `Fault` that says what is wrong with one of them.
  package static func chosen(_ texts: [String]) throws(Fault) -> [String: Interpreter] {
    var chosen: [String: Interpreter] = [:]
    for text in texts {
      let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2, let identifier = identifier(parts[0]) else {
        throw Fault("--runtime (MARTLET_RUNTIMES)", "\(text) is not of the form IDENTIFIER=PATH")
      }
      guard builtFamilies.contains(identifier.family), identifier.version != nil else {
        throw Fault("--runtime (MARTLET_RUNTIMES)", "\(parts[0]) is not served by an interpreter")
      }
      chosen[parts[0]] = try Interpreter.named(parts[1], family: identifier.family)
    }
    return chosen
  }

  package static func identifier(_ name: String) -> RuntimeIdentifier? { identifiers.first { $0.name == name } }

  package func serves(_ identifier: RuntimeIdentifier) -> Served {
    guard RuntimeCatalog.builtFamilies.contains(identifier.family) else {
      return .missing(RuntimeCatalog.advice(identifier))
    }
    guard let version = identifier.version else { return .bootstrap }
    if let named = chosen[identifier.name] {
      return .interpreter(named.version.isEmpty ? withVersion(named) : named)
    }
    if let root = imageRoot(identifier)?.interpreter { return .interpreter(root) }
    if let oldest = RuntimeCatalog.oldest[identifier.family], Interpreter.isOlder(version, oldest) {
      return .missing("Martlet's \(identifier.family.rawValue) bootstrap needs version \(oldest) or newer")
    }
    func best(_ known: [Interpreter]) -> Interpreter? {
      known.filter {
        $0.family == identifier.family && ($0.version == version || $0.version.hasPrefix(version + "."))
      }.max { Interpreter.isOlder($0.version, $1.version) }
    }
    if let found = best(resolvedInterpreters()) ?? best(packed.withLock { $0 }) ?? best(lookThroughPacks()) {
      return .interpreter(found)
    }
    return .missing(RuntimeCatalog.advice(identifier))
  }

  /// The image that was installed as the root of a runtime's environments. Can come while the server runs.
  package func imageRoot(_ identifier: RuntimeIdentifier) -> RuntimeImage? {
    guard let packs, chosen[identifier.name] == nil else { return nil }
    return RuntimeImage(in: "\(packs)/\(identifier.name)")
  }

  /// Nothing else serves an identifier: a pack may have been installed meanwhile.
  private func lookThroughPacks() -> [Interpreter] {
    guard let packs else { return [] }
    let found = RuntimePack.interpreters(in: packs)
    packed.withLock { $0 = found }
    return found
  }

  static func advice(_ identifier: RuntimeIdentifier) -> String {
    let version = identifier.version ?? ""
    return switch identifier.family {
    case .python:
      "no Python \(version) on this host: install it (apt-get install python\(version), pyenv install \(version) or "
        + "uv python install \(version)) and start martlet again"
    case .nodejs:
      "no Node.js \(version) on this host: \(install(identifier))install it (nvm install \(version), or apt-get install "
        + "nodejs where that is version \(version)) and start martlet again"
    case .java:
      "no Java \(version) on this host: \(install(identifier))install it (apt-get install "
        + "openjdk-\(version)-jre-headless, or sdk install java) and start martlet again"
    case .ruby:
      "no Ruby \(version) on this host: install it (rbenv install \(version).0, or apt-get install ruby where that is "
        + "version \(version)) and start martlet again"
    case .dotnet:
      "Martlet has no bootstrap for .NET: publish the function self-contained, with an executable named bootstrap, for "
        + "provided.al2023 (docs/runtimes.md)"
    case .go:
      "AWS has retired it: build the program as an executable named bootstrap, for provided.al2023 (docs/runtimes.md)"
    case .provided: "the function's own bootstrap"
    }
  }

  /// The command that brings it, if there is one.
  private static func install(_ identifier: RuntimeIdentifier) -> String {
    guard PinnedWheel.for(identifier, architecture: PinnedWheel.architecture) != nil else { return "" }
    return "martlet runtime install \(identifier.name) brings it; or "
  }

  /// Refuses what could not run, in AWS's words where AWS has some, else naming the fix.
  package func require(_ name: String) async throws(AWSError) {
    guard let identifier = RuntimeCatalog.identifier(name) else {
      let accepted = RuntimeCatalog.identifiers.filter(\.isListed).map(\.name).joined(separator: ", ")
      throw .invalidParameter(
        "Value \(name) at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [\(accepted)] "
          + "or be a valid ARN")
    }
    guard case .missing(let advice) = serves(identifier) else { return }
    if identifier.isDeprecated {
      throw .invalidParameter(
        "The runtime parameter of \(name) is no longer supported for creating or updating AWS Lambda functions. "
          + "We recommend you use a supported runtime while creating or updating functions.")
    }
    throw .invalidParameter("The runtime \(name) is not available: \(advice).")
  }

  private func withVersion(_ named: Interpreter) -> Interpreter {
    askedChosen.withLock { asked in
      if let known = asked[named.path] { return known }
      let found = named.askingVersion() ?? named
      asked[named.path] = found
      return found
    }
  }

  private func resolvedInterpreters() -> [Interpreter] {
    asked.withLock { asked in
      if let asked { return asked }
      let resolved = interpreters.compactMap { $0.version.isEmpty ? $0.askingVersion() : $0 }
      asked = resolved
      return resolved
    }
  }
}
