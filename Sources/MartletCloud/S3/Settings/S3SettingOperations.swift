// How every configuration of a bucket is put, read, listed and deleted; the operations say which one they mean.
import MartletCore
import MartletStore
import MartletWire

/// A request for a configuration.
struct S3SettingRequest: Readable, Sendable {
  let bucket: String
  /// Of one among several.
  let id: String?
  let token: String?
  let body: S3Body

  init(_ r: Reader) throws(AWSError) {
    bucket = r.path("Bucket")
    id = r.query("id")
    token = r.query("continuation-token")
    body = S3Body(r.request)
  }
}

/// A configuration, or a list of them.
struct S3SettingDocument: Writable, Sendable {
  let document: XMLElement

  func write(to w: inout Writer) { w.xml(document) }
}

protocol S3SettingOperation: Operation where Input == S3SettingRequest, Service == S3Service {
  static var setting: S3Setting { get }
}

/// Keeps a configuration in the place of the one before.
protocol S3PutsSetting: S3SettingOperation where Output == S3Done {}

extension S3PutsSetting {
  static var stage: OperationStage { .stored }

  static func answer(_ input: S3SettingRequest, _ call: Call, _ s3: S3Service) async throws(AWSError) -> S3Done {
    try await s3.put(setting, input, call)
    return S3Done()
  }
}

protocol S3GetsSetting: S3SettingOperation where Output == S3SettingDocument {}

extension S3GetsSetting {
  static func answer(
    _ input: S3SettingRequest, _ call: Call, _ s3: S3Service
  ) async throws(AWSError) -> S3SettingDocument {
    S3SettingDocument(document: try await s3.read(setting, input, call))
  }
}

/// What is not there is deleted without a word, unless it is one of several.
protocol S3DeletesSetting: S3SettingOperation where Output == S3Done {}

extension S3DeletesSetting {
  static func answer(_ input: S3SettingRequest, _ call: Call, _ s3: S3Service) async throws(AWSError) -> S3Done {
    let setting = setting
    let id = setting.isMany ? try input.demandedID() : ""
    return try await s3.catalogue.write { session throws(Fault) in
      if case .failure(let error) = try session.ownBucket(input.bucket, call) { return .failure(error) }
      if setting.isMany, try session.text(of: setting.kind, input.bucket, id: id) == nil {
        return .failure(.noConfiguration())
      }
      try session.forget(setting.kind, of: input.bucket, id: id)
      return .success(S3Done())
    }
  }
}

/// All of several. Buckets have few enough for one page.
protocol S3ListsSettings: S3SettingOperation where Output == S3SettingDocument {}

extension S3ListsSettings {
  static func answer(
    _ input: S3SettingRequest, _ call: Call, _ s3: S3Service
  ) async throws(AWSError) -> S3SettingDocument {
    let setting = setting
    let documents = try await s3.catalogue.read { session throws(Fault) -> Result<[XMLElement], AWSError> in
      if case .failure(let error) = try session.ownBucket(input.bucket, call) { return .failure(error) }
      return .success(try session.documents(of: setting, input.bucket))
    }
    let isTruncated = XMLElement("IsTruncated", text: "false")
    return S3SettingDocument(
      document: XMLElement("List\(setting.root)sResult", children: [isTruncated] + documents))
  }
}

extension S3SettingRequest {
  func demandedID() throws(AWSError) -> String {
    guard let id, !id.isEmpty else { throw .invalidConfigurationID() }
    return id
  }

  /// The document in the body, if it is one of that configuration.
  func document(of setting: S3Setting) throws(AWSError) -> XMLElement {
    let document = try setting.schema.checked(try body.element(setting.root))
    guard setting.isMany else { return document }
    let id = try demandedID()
    guard id.utf8.count <= 64, document["Id"] == id else { throw .invalidConfigurationID() }
    return document
  }
}

extension S3Service {
  /// Keeps a configuration.
  /// - Parameter also: goes into the same transaction.
  func put(
    _ setting: S3Setting, _ input: S3SettingRequest, _ call: Call,
    also: @escaping @Sendable (SQLSession, S3Bucket) throws(Fault) -> Void = { _, _ in }
  ) async throws(AWSError) {
    let document = setting.completed(try input.document(of: setting), newID: { newVersion() })
    let id = setting.isMany ? input.id ?? "" : ""
    try await catalogue.write { session throws(Fault) -> Result<Void, AWSError> in
      let bucket: S3Bucket
      switch try session.ownBucket(input.bucket, call) {
      case .success(let found): bucket = found
      case .failure(let error): return .failure(error)
      }
      if let refusal = try setting.check(document, bucket, session) { return .failure(refusal) }
      try session.keep(document.document, as: setting.kind, of: input.bucket, id: id)
      try also(session, bucket)
      return .success(())
    }
  }

  func read(_ setting: S3Setting, _ input: S3SettingRequest, _ call: Call) async throws(AWSError) -> XMLElement {
    let id = setting.isMany ? try input.demandedID() : ""
    return try await catalogue.read { session throws(Fault) in
      if case .failure(let error) = try session.ownBucket(input.bucket, call) { return .failure(error) }
      if let document = try session.document(of: setting, input.bucket, id: id) { return .success(document) }
      switch setting.absence {
      case .error(let error): return .failure(error(input.bucket))
      case .document(let document): return .success(document)
      }
    }
  }
}

extension Writer {
  /// A body that is a document.
  mutating func xml(_ document: XMLElement) {
    header("Content-Type", "application/xml")
    payload(S3Document.text(document, S3Listing.namespace))
  }
}
