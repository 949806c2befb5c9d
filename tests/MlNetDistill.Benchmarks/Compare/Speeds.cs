using System.Diagnostics;

namespace MlNetDistill.Benchmarks;

/// <summary>What one process measured.</summary>
/// <param name="Total">Rows per second over the whole measurement, with all that lies between epochs.</param>
/// <param name="MedianEpoch">Rows per second of the median epoch.</param>
/// <param name="CpuSecond">Rows per second of the time that the process had a processor: less moved by what else the machine does.</param>
internal sealed record Speeds(double Total, double MedianEpoch, double CpuSecond)
{
    /// <summary>Counts epochs: those of the warm-up are not measured.</summary>
    internal sealed class Meter(int rowsOfEpoch, double warmUpSeconds, double seconds)
    {
        private readonly Stopwatch _clock = Stopwatch.StartNew();
        private readonly List<double> _epochs = [];
        private double? _begin;
        private TimeSpan _cpuBefore;
        private TimeSpan _cpu;
        private double _last;

        /// <summary>An epoch has ended.</summary>
        /// <returns>Whether the measurement is over.</returns>
        public bool EpochEnds()
        {
            var now = _clock.Elapsed.TotalSeconds;
            if (_begin is null && now >= warmUpSeconds)
                (_begin, _cpuBefore) = (now, Environment.CpuUsage.TotalTime);
            else if (_begin is not null)
                _epochs.Add(now - _last);
            (_last, _cpu) = (now, Environment.CpuUsage.TotalTime - _cpuBefore);
            return _begin is { } begin && now - begin >= seconds;
        }

        public Speeds Result
        {
            get
            {
                var rows = (double)_epochs.Count * rowsOfEpoch;
                return new(rows / (_last - _begin!.Value), rowsOfEpoch / _epochs.Order().ElementAt(_epochs.Count / 2), rows / _cpu.TotalSeconds);
            }
        }
    }
}
