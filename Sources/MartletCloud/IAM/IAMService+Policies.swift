// Managed policies, and what roles, users and groups have of them.
import MartletCore
import MartletStore
import MartletWire

extension IAMService {
  // MARK: - Managed policies

  /// Where a policy of the caller's account is kept. nil for AWS's own.
  /// - Throws: InvalidInput for what is no ARN of a policy.
  static func policyKey(_ arn: String, _ call: Call) throws(AWSError) -> ResourceKey? {
    guard let parsed = ARN(arn), parsed.service == "iam", parsed.resource.hasPrefix("policy/") else {
      throw .invalidARN(arn)
    }
    if parsed.account == "aws" { return nil }
    guard let account = Account(parsed.account) else { throw .invalidARN(arn) }
    let name = parsed.resource.split(separator: "/").last.map { $0.lowercased() } ?? ""
    return ResourceKey(place: place(account), name: name)
  }

  /// A policy as it is on disk, AWS's or the caller's.
  /// - Throws: NoSuchEntity, InvalidInput.
  func policy(_ arn: String, _ call: Call) throws(AWSError) -> IAMPolicy {
    let key = try IAMService.policyKey(arn, call)
    let found = key.map { $0.place == IAMService.place(call) ? policies.find($0) : nil } ?? AWSManagedPolicies.find(arn)
    guard let found, found.arn == arn else { throw .policyNotFound(arn) }
    return found
  }

  /// For the bodies of changes.
  /// - Throws: NoSuchEntity, InvalidInput.
  func requireAttachable(_ arn: String, _ call: Call) throws(AWSError) {
    let key = try IAMService.policyKey(arn, call)
    let found =
      key.map { $0.place == IAMService.place(call) ? policies.newest($0) : nil } ?? AWSManagedPolicies.find(arn)
    guard let found, found.arn == arn else { throw .policyNotAttachable(arn) }
  }

  @discardableResult
  func changePolicy<T: Sendable>(
    _ arn: String, _ call: Call, _ body: @escaping @Sendable (inout IAMPolicy?) throws(AWSError) -> T
  ) async throws(AWSError) -> T {
    guard let key = try IAMService.policyKey(arn, call), key.place == IAMService.place(call) else {
      throw .outsideAccount(arn)
    }
    return try await policies.change(key) { (after: inout IAMPolicy?) throws(AWSError) -> T in
      guard after?.arn == arn else { throw .policyNotFound(arn) }
      return try body(&after)
    }
  }

  func checkPolicySize(_ document: String) throws(AWSError) {
    guard document.charactersWithoutSpace <= limits.policySize else { throw .quota("PolicySize", limits.policySize) }
  }

  /// Everybody of an account that can have policies, as the database's writer sees it.
  private func newestHolders(_ place: Place) -> [HeldPolicies] {
    roles.newest(in: place).map(\.policies) + users.newest(in: place).map(\.policies)
      + groups.newest(in: place).map(\.policies)
  }

  /// For the bodies of changes.
  func isUsed(_ arn: String, in place: Place) -> Bool {
    newestHolders(place).contains { $0.attached.contains(arn) || $0.boundary == arn }
  }

  /// By the ARN of the policy.
  func uses(_ call: Call) -> [String: PolicyUse] {
    let place = IAMService.place(call)
    let holders =
      roles.list(place).map(\.policies) + users.list(place).map(\.policies) + groups.list(place).map(\.policies)
    var uses: [String: PolicyUse] = [:]
    for holder in holders {
      for arn in holder.attached { uses[arn, default: PolicyUse()].attachments += 1 }
      if let arn = holder.boundary { uses[arn, default: PolicyUse()].boundaries += 1 }
    }
    return uses
  }

  // MARK: - What a holder has

  func putInline<Holder: PolicyHolder>(_ input: PutInline<Holder>, _ call: Call) async throws(AWSError) -> Empty {
    _ = try PolicyDocument(parsing: input.document, for: .identity)
    let limit = Holder.inlineLimit(limits)
    try await change(Holder.self, input.holder, call) { (holder: inout Holder) throws(AWSError) -> Void in
      try holder.requireModifiable()
      holder.policies.put(InlinePolicy(name: input.policy, document: input.document))
      let size = holder.policies.inline.reduce(0) { $0 + $1.document.charactersWithoutSpace }
      guard size <= limit else { throw .inlineSize(limit, Holder.noun, holder.entity.name) }
    }
    return Empty()
  }

  func getInline<Holder: PolicyHolder>(_ input: NamedInline<Holder>, _ call: Call) throws(AWSError) -> ShownInline<
    Holder
  > {
    let holder = try find(Holder.self, input.holder, call)
    guard let policy = holder.policies.inline(input.policy) else {
      throw .inlinePolicyNotFound(Holder.noun, input.policy)
    }
    return ShownInline(holder: holder.entity.name, policy: policy)
  }

  func deleteInline<Holder: PolicyHolder>(_ input: NamedInline<Holder>, _ call: Call) async throws(AWSError) -> Empty {
    try await change(Holder.self, input.holder, call) { (holder: inout Holder) throws(AWSError) -> Void in
      try holder.requireModifiable()
      guard holder.policies.inline(input.policy) != nil else {
        throw .inlinePolicyNotFound(Holder.noun, input.policy)
      }
      holder.policies.remove(input.policy)
    }
    return Empty()
  }

  func listInline<Holder: PolicyHolder>(_ input: HolderPage<Holder>, _ call: Call) throws(AWSError) -> IAMNames {
    let names = try find(Holder.self, input.holder, call).policies.inline.map(\.name)
    return IAMNames(member: "PolicyNames", part: try input.page.cut(names) { $0 })
  }

  func attach<Holder: PolicyHolder>(_ input: HolderAndPolicy<Holder>, _ call: Call) async throws(AWSError) -> Empty {
    let limit = limits.attachedPolicies
    try await change(Holder.self, input.holder, call) { (holder: inout Holder) throws(AWSError) -> Void in
      try holder.requireModifiable()
      try self.requireAttachable(input.policy, call)
      if holder.policies.attached.contains(input.policy) { return }
      guard holder.policies.attached.count < limit else { throw .quota("PoliciesPer\(Holder.noun.title)", limit) }
      holder.policies.attached.append(input.policy)
    }
    return Empty()
  }

  func detach<Holder: PolicyHolder>(_ input: HolderAndPolicy<Holder>, _ call: Call) async throws(AWSError) -> Empty {
    _ = try IAMService.policyKey(input.policy, call)
    try await change(Holder.self, input.holder, call) { (holder: inout Holder) throws(AWSError) -> Void in
      try holder.requireModifiable()
      guard holder.policies.attached.contains(input.policy) else { throw .policyNotFound(input.policy) }
      holder.policies.attached.removeAll { $0 == input.policy }
    }
    return Empty()
  }

  func listAttached<Holder: PolicyHolder>(
    _ input: AttachedPage<Holder>, _ call: Call
  ) throws(AWSError) -> IAMList<AttachedPolicy> {
    let attached = try find(Holder.self, input.holder, call).policies.attached.map { AttachedPolicy(arn: $0) }
    let below = attached.filter { $0.path.hasPrefix(input.pathPrefix) }.sorted { $0.arn < $1.arn }
    return IAMList("AttachedPolicies", try input.page.cut(below, by: \.arn)) { w, policy in
      w.member("PolicyName", policy.name)
      w.member("PolicyArn", policy.arn)
    }
  }

  func setBoundary<Holder: PolicyHolder>(
    _ kind: Holder.Type, _ name: String, _ arn: String?, _ call: Call
  ) async throws(AWSError) -> Empty {
    try await change(kind, name, call) { (holder: inout Holder) throws(AWSError) -> Void in
      try holder.requireModifiable()
      if let arn { try self.requireAttachable(arn, call) }
      if arn == nil, holder.policies.boundary == nil {
        throw .noPermissionsBoundary("\(Holder.noun.word) \(holder.entity.name)")
      }
      holder.policies.boundary = arn
    }
    return Empty()
  }
}

/// A managed policy as its holder names it.
struct AttachedPolicy: Sendable {
  let arn: String
  private var parts: ArraySlice<Substring> { arn.split(separator: "/").dropFirst() }
  var name: String { parts.last.map(String.init) ?? arn }
  var path: String { parts.dropLast().reduce("/") { "\($0)\($1)/" } }
}

// MARK: - Inputs and outputs that roles, users and groups share

struct PutInline<Holder: PolicyHolder>: Readable, Sendable {
  let holder: String
  let policy: String
  let document: String

  init(_ r: Reader) throws(AWSError) {
    let m = try r.body()
    holder = m.iamName(of: Holder.noun, longest: Holder.noun.longestGiven)
    policy = m.iamName("PolicyName", longest: 128)
    document = m.policyDocument()
  }
}

struct NamedInline<Holder: PolicyHolder>: Readable, Sendable {
  let holder: String
  let policy: String

  init(_ r: Reader) throws(AWSError) {
    let m = try r.body()
    holder = m.iamName(of: Holder.noun, longest: Holder.noun.longestGiven)
    policy = m.iamName("PolicyName", longest: 128)
  }
}

struct ShownInline<Holder: PolicyHolder>: Writable, Sendable {
  let holder: String
  let policy: InlinePolicy

  func write(to w: inout Writer) {
    w.body { w in
      w.member("\(Holder.noun.title)Name", holder)
      w.member("PolicyName", policy.name)
      w.member("PolicyDocument", Percent.encode(policy.document))
    }
  }
}

struct HolderAndPolicy<Holder: PolicyHolder>: Readable, Sendable {
  let holder: String
  let policy: String

  init(_ r: Reader) throws(AWSError) {
    let m = try r.body()
    holder = m.iamName(of: Holder.noun)
    policy = m.policyARN()
  }
}

struct AttachedPage<Holder: PolicyHolder>: Readable, Sendable {
  let holder: String
  let pathPrefix: String
  let page: IAMPage

  init(_ r: Reader) throws(AWSError) {
    let m = try r.body()
    holder = m.iamName(of: Holder.noun)
    pathPrefix = m.iamPathPrefix()
    page = IAMPage(m)
  }
}

struct HolderPage<Holder: PolicyHolder>: Readable, Sendable {
  let holder: String
  let page: IAMPage

  init(_ r: Reader) throws(AWSError) {
    let m = try r.body()
    holder = m.iamName(of: Holder.noun, longest: Holder.noun.longestGiven)
    page = IAMPage(m)
  }
}
