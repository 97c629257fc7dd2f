// Asks registries for images. skopeo speaks to them; what it brings is checked by whoever uses it.
import MartletCore
import MartletSandbox

package struct ImageRegistry: Sendable {
  /// How registries are to be reached.
  package struct Settings: Sendable {
    /// A file as `skopeo login --authfile` writes it.
    package var credentials: String?
    /// Registries (`host` or `host:port`) that may be spoken to in plain HTTP, or whose certificate nobody has signed,
    /// beside those on loopback.
    package var insecure: Set<String> = []
    /// Where `skopeo` is looked for.
    package var path = "/usr/local/bin:/usr/bin:/bin"

    package init() {}
  }

  /// Why there was no answer.
  enum Refusal: Error {
    case missing
    case denied
    case stopping
    /// skopeo itself is missing, or the registry failed.
    case other(String)
  }

  let settings: Settings
  let programs: HostPrograms

  /// The manifest that a name means now, byte for byte. Blocks its thread for half a minute at most.
  func manifest(_ image: ImageReference, home: String) throws(Refusal) -> [UInt8] {
    try run(
      ["--command-timeout", "30s", "inspect", "--raw"] + options(image, "--tls-verify") + ["docker://\(image.asked)"],
      home: home, fileLimit: .mebibytes(64))
  }

  /// Fetches an image by its digest into the directory `destination`: `manifest.json`, and a file for each part.
  func copy(_ image: String, of reference: ImageReference, to destination: String, home: String, limit: ByteCount)
    throws(Refusal)
  {
    // The directory's own form keeps the manifest as it is, so that its digest still holds.
    _ = try run(
      ["--command-timeout", "60m", "--tmpdir", home, "copy", "--quiet"] + options(reference, "--src-tls-verify")
        + ["docker://\(image)", "dir:\(destination)"],
      home: home, fileLimit: limit)
  }

  private func options(_ image: ImageReference, _ verify: String) -> [String] {
    let isInsecure = image.isLoopback || settings.insecure.contains(image.registry)
    return (isInsecure ? ["\(verify)=false"] : []) + (settings.credentials.map { ["--authfile", $0] } ?? [])
  }

  private func run(_ arguments: [String], home: String, fileLimit: ByteCount) throws(Refusal) -> [UInt8] {
    guard let skopeo = HostPrograms.find("skopeo", path: settings.path) else { throw .other(ImageRegistry.advice) }
    let outcome: HostPrograms.Outcome
    do throws(Fault) {
      outcome = try programs.run(
        skopeo, ["skopeo", "--insecure-policy"] + arguments,
        environment: ["HOME=\(home)", "TMPDIR=\(home)", "PATH=\(settings.path)", "LANG=C.UTF-8"],
        outputLimit: .mebibytes(4), fileLimit: fileLimit)
    } catch {
      throw programs.isStopping ? .stopping : .other("\(error)")
    }
    if outcome.hasSucceeded { return outcome.output }
    throw programs.isStopping ? .stopping : ImageRegistry.refusal(outcome.complaint)
  }

  static let advice = "skopeo is not on this host; install it (apt-get install skopeo) and try again"

  /// What skopeo's last words mean. It passes on the codes of the registry's answer.
  static func refusal(_ complaint: String) -> Refusal {
    let text = complaint.lowercased()
    if ["manifest unknown", "name unknown", "not known to registry", "not found"].contains(where: { text.contains($0) })
    {
      return .missing
    }
    if ["unauthorized", "authentication required", "denied", "forbidden"].contains(where: { text.contains($0) }) {
      return .denied
    }
    // time="…" level=fatal msg="…"
    let last = complaint.split(separator: "\n").last.map(String.init) ?? "skopeo said nothing"
    guard let mark = last.firstIndex(of: "\""), last.hasPrefix("time="),
      let words = last[last.index(after: mark)...].split(separator: "msg=\"", maxSplits: 1).last
    else { return .other(String(last.prefix(500))) }
    return .other(words.filter { $0 != "\\" && $0 != "\"" })
  }
}
