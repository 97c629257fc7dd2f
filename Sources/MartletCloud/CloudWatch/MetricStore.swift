// The values of all metrics: in memory for a second, then in the database. What a crash loses is that second.
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOPosix
import Synchronization

final class MetricStore: Sendable {
  /// How long a value may be in memory only.
  static let delay = Duration.seconds(1)
  /// Seconds for which values that were written may be needed again.
  private static let warmth: Int64 = 180

  static let migrations = [
    Migration(
      "cloudwatch-1",
      [
        """
        CREATE TABLE cloudwatch_series (
          id BIGINT PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL, space TEXT NOT NULL, name TEXT NOT NULL,
          dimensions TEXT NOT NULL, unit TEXT NOT NULL, last BIGINT NOT NULL)
        """,
        """
        CREATE TABLE cloudwatch_points (
          series BIGINT NOT NULL, start BIGINT NOT NULL, period BIGINT NOT NULL, body BLOB NOT NULL,
          PRIMARY KEY (series, start, period))
        """,
        "CREATE INDEX cloudwatch_points_age ON cloudwatch_points (period, start)",
      ])
  ]

  fileprivate struct Series {
    let id: Int64
    /// The newest value, in seconds since 1970.
    var last: Int64
    var isWritten = false
  }

  fileprivate struct Point: Hashable {
    let series: Int64
    let period: MetricPeriod
    let start: Int64
  }

  fileprivate struct State {
    var series: [MetricSeriesKey: Series] = [:]
    var units: [MetricName: [String]] = [:]
    var nextID: Int64 = 1
    /// What nobody has begun to write.
    var pending: [Point: MetricValues] = [:]
    var touched: Set<MetricSeriesKey> = []
    var isScheduled = false
  }

  private let database: Database
  private let alarms: Alarms
  private let log: Logger
  private let threads: NIOThreadPool
  private let state: Mutex<State>
  /// The newest points as they are in the database. Used on its writer's thread.
  private let warm = Mutex<[Point: MetricValues]>([:])
  /// Hears of metrics that got values.
  private let heard: @Sendable (Set<MetricName>) -> Void

  /// The database must have been migrated.
  init(
    database: Database, alarms: Alarms, log: Logger, threads: NIOThreadPool = .singleton,
    heard: @escaping @Sendable (Set<MetricName>) -> Void = { _ in }
  ) throws(Fault) {
    self.database = database
    self.alarms = alarms
    self.log = log
    self.threads = threads
    self.heard = heard
    var state = State()
    for row in try database.read({ try $0.rows("SELECT * FROM cloudwatch_series") }) {
      guard let account = Account(row.text("account")), let region = Region(row.text("region")),
        let dimensions = MetricName.dimensions(row.text("dimensions"))
      else { throw Fault("read metrics", "series \(row.integer("id")) is damaged") }
      let metric = MetricName(
        place: Place(account: account, region: region), space: row.text("space"), name: row.text("name"),
        dimensions: dimensions)
      let id = Int64(row.integer("id"))
      state.series[MetricSeriesKey(metric: metric, unit: row.text("unit"))] = Series(
        id: id, last: Int64(row.integer("last")), isWritten: true)
      state.units[metric, default: []].append(row.text("unit"))
      state.nextID = max(state.nextID, id + 1)
    }
    self.state = Mutex(state)
  }

  // MARK: - Values come

  func add(_ data: [CloudWatch.PutMetricData.Datum], space: String, _ place: Place) {
    let now = alarms.world.now()
    var metrics: Set<MetricName> = []
    let mustSchedule = state.withLock { state in
      for datum in data { metrics.insert(state.add(datum, space, place, now: now)) }
      defer { state.isScheduled = true }
      return !state.isScheduled
    }
    if mustSchedule { alarms.set(at: now + MetricStore.delay) { self.flush() } }
    heard(metrics)
  }

  /// Writes what is in memory.
  func flush() {
    let (points, series) = state.withLock { state in
      state.isScheduled = false
      defer {
        state.pending = [:]
        state.touched = []
      }
      return (state.pending, state.touched.compactMap { key in state.series[key].map { (key, $0) } })
    }
    guard !points.isEmpty else { return }
    alarms.begin()
    let oldest = alarms.world.now().seconds - MetricStore.warmth
    database.enqueue(
      { session in
        for (key, series) in series { try MetricStore.write(key, series, session) }
        try self.warm.withLock { warm in
          warm = warm.filter { $0.key.start >= oldest }
          for (point, values) in points { try MetricStore.write(point, values, &warm, session) }
        }
      },
      ended: { result in
        if case .failure(let fault) = result {
          self.log.error("metrics could not be written", metadata: ["fault": "\(fault)"])
          self.warm.withLock { $0 = [:] }
          // They are tried again with what comes next.
          self.state.withLock { state in
            for (point, values) in points { state.pending[point, default: MetricValues()].merge(values) }
            for (key, _) in series { state.touched.insert(key) }
          }
        }
        self.alarms.end()
      })
  }

  /// Returns when all that was added before is in the database.
  func written() async {
    flush()
    try? await database.write { _ in }
  }

  private static func write(_ key: MetricSeriesKey, _ series: Series, _ session: SQLSession) throws(Fault) {
    try session.execute(
      """
      INSERT INTO cloudwatch_series (id, account, region, space, name, dimensions, unit, last)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET last = excluded.last
      """,
      [
        .integer(series.id), .text(key.metric.place.account.id), .text(key.metric.place.region.name),
        .text(key.metric.space), .text(key.metric.name), .text(key.metric.dimensionsText), .text(key.unit),
        .integer(series.last),
      ])
  }

  /// Adds values to what is in the database.
  private static func write(
    _ point: Point, _ values: MetricValues, _ warm: inout [Point: MetricValues], _ session: SQLSession
  ) throws(Fault) {
    let place: [SQLValue] = [.integer(point.series), .integer(point.start), .integer(Int64(point.period.rawValue))]
    var sum: MetricValues
    if let known = warm[point] {
      sum = known
    } else {
      let old = try session.rows(
        "SELECT body FROM cloudwatch_points WHERE series = ? AND start = ? AND period = ?", place)
      sum = old.first.flatMap { MetricValues(bytes: $0.blob("body")) } ?? MetricValues()
    }
    sum.merge(values)
    warm[point] = sum
    try session.execute(
      """
      INSERT INTO cloudwatch_points (series, start, period, body) VALUES (?, ?, ?, ?)
      ON CONFLICT (series, start, period) DO UPDATE SET body = excluded.body
      """, place + [.blob(sum.bytes)])
  }

  // MARK: - Values go

  /// Puts together what is too old for its period, and removes what is too old for all.
  func sweep() {
    let now = alarms.world.now().seconds
    let lost = state.withLock { state in
      let old = state.series.filter { $0.value.last < now - MetricPeriod.hour.retention }
      for key in old.keys {
        state.series[key] = nil
        state.units[key.metric]?.removeAll { $0 == key.unit }
        if state.units[key.metric]?.isEmpty == true { state.units[key.metric] = nil }
      }
      return old.values.map(\.id)
    }
    database.enqueue(
      { session in
        for id in lost {
          try session.execute("DELETE FROM cloudwatch_points WHERE series = ?", [.integer(id)])
          try session.execute("DELETE FROM cloudwatch_series WHERE id = ?", [.integer(id)])
        }
        for period in MetricPeriod.allCases {
          let until = period.start(of: now - period.retention)
          if let next = period.next {
            try MetricStore.rollUp(period, into: next, until: next.start(of: until), session)
          }
          if period.next == nil {
            try session.execute(
              "DELETE FROM cloudwatch_points WHERE period = ? AND start < ?",
              [.integer(Int64(period.rawValue)), .integer(until)])
          }
        }
      },
      ended: { result in
        if case .failure(let fault) = result {
          self.log.error("old metrics could not be removed", metadata: ["fault": "\(fault)"])
        }
      })
  }

  private static func rollUp(
    _ period: MetricPeriod, into next: MetricPeriod, until: Int64, _ session: SQLSession
  ) throws(Fault) {
    let bounds: [SQLValue] = [.integer(Int64(period.rawValue)), .integer(until)]
    var sums: [Point: MetricValues] = [:]
    for row in try session.rows(
      "SELECT series, start, body FROM cloudwatch_points WHERE period = ? AND start < ?", bounds)
    {
      guard let values = MetricValues(bytes: row.blob("body")) else { continue }
      let point = Point(
        series: Int64(row.integer("series")), period: next, start: next.start(of: Int64(row.integer("start"))))
      sums[point, default: MetricValues()].merge(values)
    }
    guard !sums.isEmpty else { return }
    var warm: [Point: MetricValues] = [:]
    for (point, values) in sums { try write(point, values, &warm, session) }
    try session.execute("DELETE FROM cloudwatch_points WHERE period = ? AND start < ?", bounds)
  }

  // MARK: - Asking

  /// The metrics that have had values since that second, in order.
  func list(_ place: Place, since: Int64, where isWanted: (MetricName) -> Bool) -> [MetricName] {
    let recent = state.withLock { state in
      state.units.filter { metric, units in
        metric.place == place && isWanted(metric)
          && units.contains {
            state.series[MetricSeriesKey(metric: metric, unit: $0)].map { $0.last >= since } == true
          }
      }.map(\.key)
    }
    return recent.sorted(by: MetricName.precedes)
  }

  /// How many metrics are known, each in each of its units.
  var count: Int { state.withLock { $0.series.count } }

  /// What is known of a metric.
  struct Points: Sendable {
    var unit: String
    /// In order.
    var values: [(start: Int64, values: MetricValues)]
  }

  /// What is known of a metric, in pieces of `period` seconds from `start` (inclusive) to `end` (exclusive). All that
  /// was to be written must be: see `written`.
  /// - Parameter unit: nil = whatever there is.
  func values(
    of metric: MetricName, unit: String?, period: Int, from start: Int64, to end: Int64
  ) async throws(Fault) -> Points {
    let (series, units) = state.withLock { state in
      let units = (state.units[metric] ?? []).filter { unit == nil || unit == $0 }
      return (units.compactMap { state.series[MetricSeriesKey(metric: metric, unit: $0)]?.id }, units)
    }
    var pieces: [Int64: MetricValues] = [:]
    for (moment, values) in try await read(series, period, from: start, to: end) {
      let into = (moment - start) % Int64(period)
      pieces[moment - (into < 0 ? into + Int64(period) : into), default: MetricValues()].merge(values)
    }
    return Points(
      unit: units.first ?? unit ?? "None", values: pieces.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
  }

  private func read(
    _ series: [Int64], _ period: Int, from start: Int64, to end: Int64
  ) async throws(Fault) -> [(Int64, MetricValues)] {
    guard !series.isEmpty else { return [] }
    let database = database
    let result: Result<[(Int64, MetricValues)], Fault>
    do {
      result = try await threads.runIfActive {
        Result { () throws(Fault) in
          try database.read { try MetricStore.points(series, period, from: start, to: end, $0) }
        }
      }
    } catch {
      throw Fault("read metrics", "\(error)")
    }
    return try result.get()
  }

  private static func points(
    _ series: [Int64], _ period: Int, from start: Int64, to end: Int64, _ session: SQLSession
  ) throws(Fault) -> [(Int64, MetricValues)] {
    var points: [(Int64, MetricValues)] = []
    for id in series {
      let rows = try session.rows(
        "SELECT start, period, body FROM cloudwatch_points WHERE series = ? AND start >= ? AND start < ?",
        [.integer(id), .integer(start), .integer(end)])
      for row in rows where period % row.integer("period") == 0 {
        guard let values = MetricValues(bytes: row.blob("body")) else { continue }
        points.append((Int64(row.integer("start")), values))
      }
    }
    return points
  }
}

extension MetricStore.State {
  fileprivate mutating func add(
    _ datum: CloudWatch.PutMetricData.Datum, _ space: String, _ place: Place, now: Timestamp
  ) -> MetricName {
    let metric = MetricName(place: place, space: space, name: datum.name, dimensions: datum.dimensions)
    let key = MetricSeriesKey(metric: metric, unit: datum.unit)
    let second = (datum.timestamp ?? now).seconds
    if series[key] == nil {
      series[key] = MetricStore.Series(id: nextID, last: second)
      units[metric, default: []].append(datum.unit)
      nextID += 1
    }
    guard var line = series[key] else { return metric }
    // Of a busy metric its row is written once a minute.
    if second >= line.last + 60 || !line.isWritten {
      line.last = max(line.last, second)
      line.isWritten = true
      touched.insert(key)
    }
    series[key] = line
    let period = datum.resolution == 1 ? MetricPeriod.second : .minute
    let point = MetricStore.Point(series: line.id, period: period, start: period.start(of: second))
    pending[point, default: MetricValues()].add(datum.values)
    return metric
  }
}

extension MetricValues {
  mutating func add(_ values: CloudWatch.PutMetricData.Datum.Values) {
    switch values {
    case .one(let value): add(value)
    case .many(let list): for (value, weight) in list { add(value, weight: weight) }
    case .set(let count, let sum, let minimum, let maximum):
      add(count: count, sum: sum, minimum: minimum, maximum: maximum)
    }
  }
}
