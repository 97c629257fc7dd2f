// Temporary credentials that speak for themselves: the session token says whose they are and is signed with a key that
// lies in the database, so every server on that database knows them, also after a restart, and nothing is kept of each.
import MartletCore
import MartletStore
import MartletWire
import NIOCore

package struct CredentialIssuer: Sendable {
  private let key: [UInt8]
  private let world: any World
  /// When the key was made, which is when this installation began.
  let since: Timestamp

  /// Reads the key, or makes it.
  package init(database: Database, world: any World) async throws {
    self.world = world
    let keys = try Catalogue<CredentialKey>(database: database)
    let place = CredentialKey.place
    let record = try await keys.change(ResourceKey(place: place, name: "key")) {
      (after: inout CredentialKey?) throws(AWSError) -> CredentialKey in
      if let after { return after }
      let made = CredentialKey(world)
      after = made
      return made
    }
    key = Array(record.secret.utf8)
    since = record.created
  }

  /// - Parameter seconds: how long the credentials say that they last.
  package func issue(_ identity: Identity, seconds: Int) -> TemporaryCredentials {
    let accessKey = IAMIdentifier.accessKey("ASIA", identity.account, world)
    let end = Timestamp(milliseconds: (world.now().seconds + Int64(seconds)) * 1000)
    let claims = [accessKey, String(end.seconds), identity.account.id, identity.id, identity.arn].joined(separator: "|")
    let token = Base64.encode(CredentialIssuer.mark + mac(claims) + Array(claims.utf8))
    return TemporaryCredentials(
      accessKeyID: accessKey, secretAccessKey: secret(of: accessKey), sessionToken: token, expiration: end)
  }

  /// Whom a token stands for, and until when; nil if it was not issued here, or with another access key.
  /// Whoever asks decides what an end in the past means.
  package func read(_ token: String, accessKey: String) -> (Identity, expiration: Timestamp)? {
    guard let bytes = Base64.decode(token).map({ Array($0.readableBytesView) }),
      bytes.starts(with: CredentialIssuer.mark), bytes.count > CredentialIssuer.mark.count + 32
    else { return nil }
    let claims = String(decoding: bytes[(CredentialIssuer.mark.count + 32)...], as: UTF8.self)
    let given = bytes[CredentialIssuer.mark.count..<(CredentialIssuer.mark.count + 32)]
    // Every byte is compared, so that the time it takes tells nothing.
    guard zip(given, mac(claims)).reduce(UInt8(0), { $0 | ($1.0 ^ $1.1) }) == 0 else { return nil }
    let parts = claims.split(separator: "|", maxSplits: 4).map(String.init)
    guard parts.count == 5, parts[0] == accessKey, let seconds = Int64(parts[1]), let account = Account(parts[2]) else {
      return nil
    }
    return (Identity(account: account, arn: parts[4], id: parts[3]), Timestamp(milliseconds: seconds * 1000))
  }

  /// The secret of a temporary access key: known to whoever has the key of this installation.
  func secret(of accessKey: String) -> String {
    Base64.encode(Array(Digest.hmacBytes(key: key, "secret|" + accessKey).prefix(30)))
  }

  private func mac(_ claims: String) -> [UInt8] { Digest.hmacBytes(key: key, "token|" + claims) }

  /// Tokens begin with it.
  private static let mark = Array("martlet1".utf8)
}

/// The key with which tokens are signed. There is one.
struct CredentialKey: Document {
  static let kind = "sts-credential-key"
  let key: ResourceKey
  let secret: String
  let created: Timestamp

  static var place: Place {
    guard let account = Account("000000000000") else { preconditionFailure("twelve digits are an account") }
    return IAMService.place(account)
  }

  init(_ world: any World) {
    key = ResourceKey(place: CredentialKey.place, name: "key")
    secret = randomHex(64, from: world)
    created = world.now()
  }

  init(document: String, key: ResourceKey) throws(Fault) {
    let parts = document.split(separator: " ")
    guard parts.count == 2, parts[0].utf8.count == 64, let milliseconds = Int64(parts[1]) else {
      throw Fault("read \(CredentialKey.kind)", "its record in the database is damaged")
    }
    self.key = key
    secret = String(parts[0])
    created = Timestamp(milliseconds: milliseconds)
  }

  var document: String { "\(secret) \(created.milliseconds)" }
}
