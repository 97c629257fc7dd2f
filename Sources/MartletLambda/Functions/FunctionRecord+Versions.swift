// Changes of a record that several operations make: update of $LATEST, publication of a version.
import MartletCore
import MartletWire

extension FunctionRecord {
  /// Refuses a change while the function is being made or updated, and one that was meant for another revision.
  func requireChangeable(revision: String?) throws(AWSError) {
    if let revision, revision != latest.revisionID.description { throw .revisionMismatch() }
    if latest.state == .pending { throw .functionState(.pending) }
    if latest.lastUpdateStatus == .inProgress { throw .updateInProgress(latest.unqualifiedARN) }
  }

  /// Begins an update: what ran before goes on running until the activation has finished it.
  mutating func beginUpdate(_ world: any World) {
    if latest.state == .failed {
      // Nothing of it ever ran: the update makes the function anew.
      latest.state = .pending
      latest.stateReason = .creating
    } else if serving == nil {
      serving = latest
    }
    latest.lastUpdateStatus = .inProgress
    latest.lastUpdateReason = .creating
    // Later than before even if the clock stands still: `isPublished` tells changes apart by it.
    latest.lastModified = max(world.now(), Timestamp(nanoseconds: latest.lastModified.nanoseconds + 1))
    latest.revisionID = RequestID(from: world)
    latest.incarnation = RequestID(from: world)
  }

  /// What is configured for a version counts as a change of it.
  mutating func renewRevision(of version: VersionName, _ world: any World) {
    guard var configuration = configuration(version) else { return }
    configuration.revisionID = RequestID(from: world)
    put(configuration)
  }

  /// True if `$LATEST` was not changed since the newest version was published from it. A description given at the
  /// publication only is no change: the version keeps the time of `$LATEST`'s last change.
  private func isPublished(as version: FunctionConfiguration) -> Bool {
    if version.lastModified == latest.lastModified { return true }
    var same = latest
    same.version = version.version
    same.state = version.state
    same.stateReason = version.stateReason
    same.lastUpdateStatus = version.lastUpdateStatus
    same.lastUpdateReason = version.lastUpdateReason
    same.lastModified = version.lastModified
    same.revisionID = version.revisionID
    same.incarnation = version.incarnation
    return same == version
  }

  /// Makes a version of `$LATEST`, or finds the newest one if nothing has changed since.
  /// - Parameter isNew: the code has not run yet. Then the version is pending until the activation has seen it, as is
  ///   every one with SnapStart.
  mutating func publish(description: String?, isNew: Bool, _ world: any World) -> FunctionConfiguration {
    if let newest = configuration(.number(nextVersion - 1)), isPublished(as: newest) { return newest }
    var version = latest
    version.version = .number(nextVersion)
    if let description { version.description = description }
    version.revisionID = RequestID(from: world)
    version.incarnation = RequestID(from: world)
    if isNew || version.isSnapStarted {
      version.state = .pending
      version.stateReason = .creating
      version.lastUpdateStatus = nil
      version.lastUpdateReason = nil
    }
    put(version)
    nextVersion += 1
    latest.revisionID = RequestID(from: world)
    return version
  }
}

extension FunctionRecord {
  /// Publishes `$LATEST` to the instances of its capacity provider: what was there before is replaced.
  /// - Throws: 400 if the function has no capacity provider.
  mutating func publishToLatest(description: String?, _ world: any World) throws(AWSError) -> FunctionConfiguration {
    guard latest.hasCapacityProvider else { throw .publishToNeedsCapacityProvider() }
    var version = latest
    version.version = .latestPublished
    if let description { version.description = description }
    version.revisionID = RequestID(from: world)
    version.incarnation = RequestID(from: world)
    put(version)
    latest.revisionID = RequestID(from: world)
    return version
  }
}

extension LambdaService {
  /// Finds the function that a control-plane call is about, where a version makes no sense.
  func function(_ name: FunctionNameParts?, _ call: Call) throws(AWSError) -> FunctionReference {
    let reference = try self.reference(name, qualifier: nil, call)
    guard reference.qualifier == nil || reference.qualifier == "$LATEST" else { throw .unqualifiedOnly() }
    return FunctionReference(key: reference.key, qualifier: nil)
  }

  /// The record as it is on disk, or AWS's 404.
  func record(_ reference: FunctionReference) throws(AWSError) -> FunctionRecord {
    guard let record = functions.find(reference.key) else { throw .functionNotFound(reference.unqualifiedARN) }
    return record
  }

  /// Refuses a package that would make the account's packages too many.
  func requireStorage(_ place: Place, adding bytes: Int) throws(AWSError) {
    let used = functions.figures(place).codeSize + layers.codeSize(place)
    guard used + bytes <= limits.totalCodeSize.bytes else { throw .codeStorageExceeded() }
  }
}
