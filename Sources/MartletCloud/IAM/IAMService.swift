// AWS Identity and Access Management: the parts of the service. Its table of operations is in IAMOperations.swift.
// Policies are parsed and kept; nothing is refused because of them yet (docs/iam.md).
import MartletCore
import MartletStore
import MartletWire
import Synchronization

package final class IAMService: Sendable {
  let world: any World
  let limits: IAMLimits
  let roles: Catalogue<IAMRole>
  let users: Catalogue<IAMUser>
  let groups: Catalogue<IAMGroup>
  let policies: Catalogue<IAMPolicy>
  let instanceProfiles: Catalogue<IAMInstanceProfile>
  let aliases: Catalogue<AccountAlias>
  let credentials: CredentialIssuer
  private let keys: AccessKeyIndex

  /// Reads everything. The database must have been migrated.
  /// - Throws: a `Fault` that names what is damaged.
  package init(database: Database, world: any World, limits: IAMLimits = IAMLimits()) async throws {
    self.world = world
    self.limits = limits
    let keys = AccessKeyIndex()
    self.keys = keys
    roles = try Catalogue(database: database)
    users = try Catalogue(database: database) { keys.note($0, $1) }
    groups = try Catalogue(database: database)
    policies = try Catalogue(database: database)
    instanceProfiles = try Catalogue(database: database)
    aliases = try Catalogue(database: database)
    credentials = try await CredentialIssuer(database: database, world: world)
  }

  // MARK: - Names

  /// IAM is one for all regions of an account.
  static func place(_ account: Account) -> Place {
    guard let region = Region("aws-global") else { preconditionFailure("aws-global is a region") }
    return Place(account: account, region: region)
  }

  static func place(_ call: Call) -> Place { place(call.place.account) }

  /// Names differ in more than the case of their letters.
  static func key(_ name: String, _ call: Call) -> ResourceKey {
    ResourceKey(place: place(call), name: name.lowercased())
  }

  // MARK: - Records

  /// - Throws: NoSuchEntity.
  func find<Record: IAMResource>(_ kind: Record.Type, _ name: String, _ call: Call) throws(AWSError) -> Record {
    guard let record = Record.catalogue(self).find(IAMService.key(name, call)) else {
      throw .iamNotFound(Record.noun, name)
    }
    return record
  }

  func list<Record: IAMResource>(_ kind: Record.Type, below prefix: String, _ call: Call) -> [Record] {
    Record.catalogue(self).list(IAMService.place(call)).filter { $0.entity.path.hasPrefix(prefix) }
  }

  /// Makes a new record.
  /// - Throws: EntityAlreadyExists, LimitExceeded.
  func create<Record: IAMResource>(
    _ name: String, path: String?, tags: [IAMTag] = [], limit: Int, quota: String, _ call: Call,
    _ make: @escaping @Sendable (ResourceKey, IAMEntity) throws(AWSError) -> Record
  ) async throws(AWSError) -> Record {
    let entity = IAMEntity(
      name: name, path: path ?? "/", id: IAMIdentifier.make(Record.noun.prefix, world), created: world.now(), tags: tags
    )
    let key = IAMService.key(name, call)
    let catalogue = Record.catalogue(self)
    return try await catalogue.change(key) { (after: inout Record?) throws(AWSError) -> Record in
      guard after == nil else { throw .iamExists(Record.noun, name) }
      guard catalogue.newest(in: key.place).count < limit else { throw .quota(quota, limit) }
      let record = try make(key, entity)
      after = record
      return record
    }
  }

  /// - Throws: NoSuchEntity, and what `body` throws.
  @discardableResult
  func change<Record: IAMResource, T: Sendable>(
    _ kind: Record.Type, _ name: String, _ call: Call,
    _ body: @escaping @Sendable (inout Record) throws(AWSError) -> T
  ) async throws(AWSError) -> T {
    try await Record.catalogue(self).change(IAMService.key(name, call)) {
      (after: inout Record?) throws(AWSError) -> T in
      guard var record = after else { throw .iamNotFound(Record.noun, name) }
      let value = try body(&record)
      after = record
      return value
    }
  }

  /// - Parameter check: throws if the record must stay.
  @discardableResult
  func delete<Record: IAMResource>(
    _ kind: Record.Type, _ name: String, _ call: Call, _ check: @escaping @Sendable (Record) throws(AWSError) -> Void
  ) async throws(AWSError) -> Empty {
    try await Record.catalogue(self).change(IAMService.key(name, call)) {
      (after: inout Record?) throws(AWSError) -> Void in
      guard let record = after else { throw .iamNotFound(Record.noun, name) }
      try check(record)
      after = nil
    }
    return Empty()
  }

  /// Gives a record another name and path; `nil` keeps what it has.
  func rename<Record: IAMResource>(
    _ kind: Record.Type, _ name: String, to newName: String?, path: String?, _ call: Call
  ) async throws(AWSError) -> Empty {
    let (from, to) = (IAMService.key(name, call), IAMService.key(newName ?? name, call))
    try await Record.catalogue(self).move(from, to: to) { (before, after) throws(AWSError) -> Record in
      guard var record = before else { throw .iamNotFound(Record.noun, name) }
      if from != to, after != nil { throw .iamExists(Record.noun, newName ?? name) }
      record.key = to
      if let newName { record.entity.name = newName }
      if let path { record.entity.path = path }
      return record
    }
    return Empty()
  }

  /// Changes the tags of a record.
  func changeTags<Record: IAMResource>(
    _ kind: Record.Type, _ name: String, adding: [IAMTag] = [], removing: [String] = [], _ call: Call
  ) async throws(AWSError) -> Empty {
    let limit = limits.tags
    try await change(kind, name, call) { (record: inout Record) throws(AWSError) -> Void in
      let gone = Set((adding.map(\.key) + removing).map { $0.lowercased() })
      var tags = record.entity.tags.filter { !gone.contains($0.key.lowercased()) } + adding
      guard tags.count <= limit else { throw .quota("TagsPer\(Record.noun.title)", limit) }
      tags.sort { $0.key < $1.key }
      record.entity.tags = tags
    }
    return Empty()
  }

  func tags<Record: IAMResource>(
    _ kind: Record.Type, _ name: String, _ page: IAMPage, _ call: Call
  ) throws(AWSError) -> IAMList<IAMTag> {
    try IAMService.tags(of: try find(kind, name, call), page)
  }

  static func tags(of record: some IAMResource, _ page: IAMPage) throws(AWSError) -> IAMList<IAMTag> {
    IAMList("Tags", try page.cut(record.entity.tags.sorted { $0.key < $1.key }, by: \.key)) { $1.write(to: &$0) }
  }

  // MARK: - Who calls

  /// Whom an access key stands for: a user's key made here, or temporary credentials issued here. nil for any other.
  /// - Parameter use: the region and the service that the key was used for.
  package func identity(accessKey: String, token: String?, use: (region: String, service: String)) -> Identity? {
    if let token, let (identity, _) = credentials.read(token, accessKey: accessKey) { return identity }
    guard let key = keys.owner(accessKey), let user = users.find(key) else { return nil }
    keys.used(accessKey, .init(date: world.now(), region: use.region, service: use.service))
    return Identity(account: key.place.account, arn: user.arn, id: user.entity.id)
  }

  func lastUse(ofAccessKey id: String) -> AccessKeyIndex.Use? { keys.lastUse(id) }

  /// The user that has an access key.
  func owner(ofAccessKey id: String) -> IAMUser? { keys.owner(id).flatMap { users.find($0) } }

  /// What a function gets for its role; the region plays no part. No disk and no waiting is involved.
  /// - Parameter role: the role's ARN. A role that the account does not have is nonetheless what the function is.
  package func executionCredentials(role: String, session: String, account: Account) -> TemporaryCredentials {
    let name = role.split(separator: "/").last.map(String.init) ?? role
    let key = ResourceKey(place: IAMService.place(account), name: name.lowercased())
    let id = roles.find(key)?.entity.id ?? IAMIdentifier.derived(IAMRole.noun.prefix, from: role)
    return credentials.issue(
      Identity(
        account: account, arn: "arn:aws:sts::\(account):assumed-role/\(name)/\(session)", id: "\(id):\(session)"),
      seconds: 43_200)
  }
}

/// Which user has which access key, and when it was last used; the latter is forgotten when the server stops.
final class AccessKeyIndex: Sendable {
  struct Use: Sendable {
    let date: Timestamp
    let region: String
    let service: String
  }

  private struct State {
    var owners: [String: ResourceKey] = [:]
    var uses: [String: Use] = [:]
  }

  private let state = Mutex(State())

  func note(_ before: IAMUser?, _ after: IAMUser?) {
    state.withLock { state in
      for key in before?.accessKeys ?? [] where state.owners[key.id] == before?.key { state.owners[key.id] = nil }
      for key in after?.accessKeys ?? [] { state.owners[key.id] = after?.key }
    }
  }

  func owner(_ id: String) -> ResourceKey? { state.withLock { $0.owners[id] } }
  func used(_ id: String, _ use: Use) { state.withLock { $0.uses[id] = use } }
  func lastUse(_ id: String) -> Use? { state.withLock { $0.uses[id] } }
}
