// The key that messages are signed with, made when the first one is, and the certificate that says so.
// https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
import MartletCore
import MartletStore
import MartletWire
import NIOPosix
import Synchronization

/// As it is kept.
private struct SigningRecord: Document {
  static let kind = "sns-signing-key"
  let key: ResourceKey
  let privateText: String
  let certificate: String

  init(key: ResourceKey, _ signing: SigningKey) {
    self.key = key
    privateText = signing.privateText
    certificate = signing.certificate
  }

  init(document: String, key: ResourceKey) throws(Fault) {
    guard let json = try? JSONValue(parsing: document), let privateText = json["key"]?.string,
      let certificate = json["certificate"]?.string
    else { throw Fault("read the signing key of SNS", "it is damaged") }
    self.key = key
    self.privateText = privateText
    self.certificate = certificate
  }

  var document: String {
    JSONValue.members(("key", .string(privateText)), ("certificate", .string(certificate))).text
  }
}

final class NotificationSigner: Sendable {
  private struct State {
    var key: SigningKey?
    /// What was signed last: a message with many subscriptions is signed once.
    var recent: [String: String] = [:]
    var order: [String] = []
    /// Somebody makes the key, and these wait for it.
    var isMaking = false
    var waiters: [CheckedContinuation<Bool, Never>] = []
  }

  private let records: Catalogue<SigningRecord>
  private let world: MovableWorld
  private let threads: NIOThreadPool
  private let state = Mutex(State())

  private static let mostRecent = 256
  /// There is one key for all accounts and regions.
  private let place: ResourceKey

  init(database: Database, world: MovableWorld, threads: NIOThreadPool) throws(Fault) {
    guard let account = Account("000000000000"), let region = Region("us-east-1") else {
      preconditionFailure("these are an account and a region")
    }
    place = ResourceKey(place: Place(account: account, region: region), name: "key")
    self.world = world
    self.threads = threads
    records = try Catalogue(database: database)
    if let record = records.find(place) {
      let key = try SigningKey(privateText: record.privateText, certificate: record.certificate)
      state.withLock { $0.key = key }
    }
  }

  /// The certificate that is served under a name; nil if there is none of that name.
  func certificate(named name: String) -> String? {
    guard let key = state.withLock({ $0.key }), NotificationSigner.name(of: key) == name else { return nil }
    return key.certificate
  }

  /// `SimpleNotificationService-<32 digits>.pem`
  private static func name(of key: SigningKey) -> String {
    "\(prefix)\(Digest.hex(Digest.sha256(key.certificate)).prefix(32))\(suffix)"
  }

  static let prefix = "SimpleNotificationService-"
  static let suffix = ".pem"

  /// nil of what is not signed.
  func sign(
    _ notification: Notification, _ links: NotificationLinks
  ) async throws(AWSError) -> Notification.Signature? {
    guard let version = notification.signatureVersion else { return nil }
    let key = try await signingKey()
    let text = notification.signedText(links)
    let name = Digest.hex(Digest.sha256("\(version)\n\(text)"))
    let value: String
    if let known = state.withLock({ $0.recent[name] }) {
      value = known
    } else {
      do throws(Fault) {
        value = Base64.encode(try key.sign(text, version == "2" ? .sha256 : .sha1))
      } catch {
        throw .service("\(error)")
      }
      state.withLock { state in
        if state.recent.updateValue(value, forKey: name) == nil { state.order.append(name) }
        if state.order.count > NotificationSigner.mostRecent {
          state.recent[state.order.removeFirst()] = nil
        }
      }
    }
    return .init(value: value, certificateURL: links.certificate(NotificationSigner.name(of: key)))
  }

  /// Makes the key if there is none: one delivery does, the others wait for it.
  private func signingKey() async throws(AWSError) -> SigningKey {
    while true {
      if let key = state.withLock({ $0.key }) { return key }
      let isMaker = await withCheckedContinuation { continuation in
        let isMaker = state.withLock { state in
          if state.isMaking { state.waiters.append(continuation) }
          defer { state.isMaking = true }
          return !state.isMaking
        }
        if isMaker { continuation.resume(returning: true) }
      }
      guard isMaker else { continue }
      defer {
        let waiters = state.withLock { state in
          defer { state.waiters = [] }
          state.isMaking = false
          return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: false) }
      }
      return try await newKey()
    }
  }

  /// It is on disk before anything is signed with it.
  private func newKey() async throws(AWSError) -> SigningKey {
    if let key = state.withLock({ $0.key }) { return key }
    let (world, place) = (world, place)
    let made: Result<SigningKey, Fault>
    do {
      made = try await threads.runIfActive {
        Result { () throws(Fault) in
          try SigningKey(name: "Martlet SNS", now: world.hostNow().seconds, world: world)
        }
      }
    } catch {
      throw .service("\(error)")
    }
    let new: SigningKey
    do throws(Fault) { new = try made.get() } catch { throw .service("\(error)") }
    let kept = try await records.change(place) { record throws(AWSError) -> SigningRecord in
      let kept = record ?? SigningRecord(key: place, new)
      record = kept
      return kept
    }
    let key: SigningKey
    do throws(Fault) {
      key = try SigningKey(privateText: kept.privateText, certificate: kept.certificate)
    } catch {
      throw .service("\(error)")
    }
    return state.withLock { state in
      let known = state.key ?? key
      state.key = known
      return known
    }
  }
}
