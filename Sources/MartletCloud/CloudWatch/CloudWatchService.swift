// Amazon CloudWatch, embedded: metrics and what is asked about them. Its operations are in CloudWatchOperations.swift.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/WhatIsCloudWatch.html
import Logging
import MartletCore
import MartletStore
import MartletWire
import Synchronization

package final class CloudWatchService: Sendable {
  let metrics: MetricStore
  let door: Door
  let alarms: Alarms
  let log: Logger
  /// When what is old was put together last, in seconds since 1970.
  private let swept = Mutex<Int64>(0)

  /// Seconds between two sweeps.
  private static let sweepEvery: Int64 = 3600

  package static let migrations = MetricStore.migrations

  var world: MovableWorld { alarms.world }

  /// The database must have been migrated.
  package init(database: Database, door: Door, alarms: Alarms, log: Logger) throws(Fault) {
    self.door = door
    self.alarms = alarms
    self.log = log
    metrics = try MetricStore(database: database, alarms: alarms, log: log)
  }

  /// To be called about once a second.
  package func tick() {
    let now = world.now().seconds
    let isDue = swept.withLock { last in
      guard now - last >= CloudWatchService.sweepEvery else { return false }
      last = now
      return true
    }
    if isDue { metrics.sweep() }
  }

  /// Writes what is in memory only.
  package func stop() async { await metrics.written() }

  /// Metrics that are known.
  package var metricCount: Int { metrics.count }
}
