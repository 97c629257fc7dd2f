// The images of functions: what a name means, the image fetched and unpacked once, and read when it is run.
import FoundationEssentials
import Glibc
import Logging
import MartletCore
import MartletSandbox
import MartletStore
import MartletWire
import NIOCore
import NIOPosix
import Synchronization

package final class FunctionImages: Sendable {
  /// An image that is ready to run.
  struct Ready: Sendable {
    let root: ImageRoot
    let settings: ImageSettings
    /// The names of its extensions.
    let extensions: [String]
  }

  static let needsRoot = "they need a root of their own, which --isolation none does not give"

  private let trees: ImageTrees
  private let registry: ImageRegistry
  private let limits: LambdaLimits
  private let world: any World
  private let log: Logger
  /// For questions, which take half a minute at most.
  private let asking: NIOThreadPool
  /// For images on their way; one image always takes the same lane, and so comes once.
  private let lanes: [NIOThreadPool]
  private let ready = Mutex<[String: Ready]>([:])

  /// - Parameter root: the directory of the trees; must exist.
  package init(
    root: String, registries: ImageRegistry.Settings, limits: LambdaLimits, world: any World, log: Logger
  ) {
    trees = ImageTrees(root: root)
    registry = ImageRegistry(settings: registries, programs: HostPrograms())
    self.limits = limits
    self.world = world
    self.log = log
    asking = NIOThreadPool(numberOfThreads: 4)
    lanes = (0..<2).map { _ in NIOThreadPool(numberOfThreads: 1) }
    for pool in lanes + [asking] { pool.start() }
  }

  deinit { for pool in lanes + [asking] { pool.shutdownGracefully { _ in } } }

  /// Breaks off what is on its way.
  package func stop() { registry.programs.stop() }

  // MARK: - What a name means

  /// The image that a name means now.
  /// - Throws: AWS's refusals, if there is no such image, or none that can be run.
  package func resolve(_ uri: String) async throws(AWSError) -> FunctionImage {
    guard let reference = ImageReference(uri) else { throw .imageNotValid(uri) }
    let (registry, home) = (registry, trees.root)
    let asked: Result<[UInt8], ImageRegistry.Refusal>
    do {
      asked = try await asking.runIfActive {
        Result { () throws(ImageRegistry.Refusal) in try registry.manifest(reference, home: home) }
      }
    } catch {
      throw .service("images: \(error)")
    }
    let bytes: [UInt8]
    do throws(ImageRegistry.Refusal) {
      bytes = try asked.get()
    } catch {
      switch error {
      case .missing: throw .imageMissing(uri)
      case .denied: throw .imageDenied()
      case .other(ImageRegistry.advice): throw .imagesUnavailable(ImageRegistry.advice)
      case .other(let reason): throw .registryFailed(uri, reason)
      case .stopping: throw .service("the server stops")
      }
    }
    let digest = Digest.hex(bytes.withUnsafeBytes { Digest.sha256($0) })
    if let named = reference.digest, named != digest { throw .imageNotValid(uri) }
    guard let manifest = ImageManifest(String(decoding: bytes, as: UTF8.self)) else { throw .imageUnsupported(uri) }
    guard manifest.size <= limits.imageSize.bytes else { throw .imageTooLarge(uri, limit: limits.imageSize) }
    return FunctionImage(uri: uri, digest: digest)
  }

  // MARK: - The image itself

  func contains(_ image: FunctionImage) -> Bool { trees.contains(image.digest) }

  /// Sees to it that the image is here, unpacked.
  func ensure(_ image: FunctionImage) async throws(ImageFailure) {
    if trees.touch(image.digest) { return }
    let lane = lanes[Int(image.digest.utf8.first ?? 0) % lanes.count]
    let fetched: Result<Void, ImageFailure>
    do {
      fetched = try await lane.runIfActive {
        Result { () throws(ImageFailure) in try self.fetch(image) }
      }
    } catch {
      throw .stopping
    }
    try fetched.get()
  }

  private func fetch(_ image: FunctionImage) throws(ImageFailure) {
    if trees.touch(image.digest) { return }
    let begun = world.monotonic()
    log.info("fetching an image", metadata: ["image": "\(image.resolvedURI)"])
    let draft: String
    do throws(Fault) { draft = try trees.draft(image.digest) } catch { throw .inside("\(error)") }
    do throws(ImageFailure) {
      try ImageFetch(image: image, draft: draft, registry: registry, limits: limits, log: log).run()
      do throws(Fault) { try trees.commit(draft, as: image.digest) } catch { throw .inside("\(error)") }
    } catch {
      trees.discard(draft)
      throw error
    }
    log.info(
      "an image is ready",
      metadata: ["image": "\(image.resolvedURI)", "took_ms": "\((world.monotonic() - begun) / 1_000_000)"])
  }

  /// The image, read when it is asked for first.
  func ready(_ image: FunctionImage) throws(Fault) -> Ready {
    if let known = ready.withLock({ $0[image.digest] }) { return known }
    let root = try ImageRoot(path: ImageFetch.tree(trees.path(image.digest)))
    let text = try Files.read(ImageFetch.settings(trees.path(image.digest)))
    guard let settings = ImageSettings(String(decoding: text, as: UTF8.self)) else {
      throw Fault("read \(image.resolvedURI)", "its configuration is damaged")
    }
    let found = Ready(
      root: root, settings: settings, extensions: root.programs(in: EnvironmentSetup.extensionDirectory))
    ready.withLock { $0[image.digest] = found }
    return found
  }

  /// Removes images that no version and no environment uses, if nobody has asked for them for `age`.
  func collect(keeping used: Set<String>, olderThan age: Duration) {
    trees.collect(keeping: used, olderThan: age)
    ready.withLock { ready in ready = ready.filter { trees.contains($0.key) } }
  }
}
