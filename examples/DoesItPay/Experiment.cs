using System.Security.Cryptography;
using System.Text;
using DoesItPay.Data;
using DoesItPay.Measured;
using DoesItPay.Report;
using DoesItPay.Training;
using Microsoft.ML;
using MlNetDistill;

namespace DoesItPay;

/// <summary>All runs over one data set.</summary>
internal sealed class Experiment(MLContext mlContext, Settings settings, RunFolder folder, DataSet set)
{
    private readonly Views _views = new(mlContext, set);
    private readonly string _rows = set.Hash();
    private readonly IReadOnlyList<Arm> _arms = [.. ArmList.All.Where(arm => settings.Arms.Contains(arm.Name))];

    private IReadOnlyList<int> Sizes => settings.Students ?? set.Sizes;

    /// <summary>The students of a regime, a row of the live table for each.</summary>
    public IEnumerable<RunKey> Cells(int regime) =>
        from teacher in settings.Teachers
        from size in Sizes
        from arm in _arms
        select new RunKey(set.Name, regime, teacher, size, arm.Name, 0);

    /// <summary>Runs all seeds of a regime. Seed by seed: what slows the machine for a while then falls on all arms alike.</summary>
    public void Run(int regime, LiveTable table)
    {
        var searches = Sizes.ToDictionary(size => size, size => new Lazy<AloneSetting>(() => Search(regime, size, table)));
        for (var seed = 1; seed <= settings.Seeds; seed++)
        {
            var sample = Sample.Draw(set, regime, seed);
            var teachers = new TeacherKinds(mlContext, _views, sample, settings.Threads);
            foreach (var size in Sizes)
            {
                foreach (var arm in _arms)
                    Run(arm, Assign(sample, size, seed, searches[size], table.Follow($"{arm.Title}, {size}, seed {seed}")), regime, teachers, table);
            }
        }
    }

    /// <summary>An arm with every teacher; a student alone is trained once and compared with each.</summary>
    private void Run(Arm arm, Assignment work, int regime, TeacherKinds teachers, LiveTable table)
    {
        Trained? alone = null;
        var fingerprint = Fingerprint(arm.Describe(work));
        foreach (var teacher in settings.Teachers)
        {
            var key = new RunKey(set.Name, regime, teacher, work.Size, arm.Name, work.Seed);
            if (folder.Find(key, fingerprint) is not { } run)
            {
                run = Measure(arm, work, () => teachers.Get(teacher), key, fingerprint, ref alone);
                folder.Write(run);
            }

            table.Finished(run);
        }
    }

    private Run Measure(Arm arm, Assignment work, Func<FittedTeacher> teacher, RunKey key, string fingerprint, ref Trained? alone)
    {
        try
        {
            var fitted = teacher();
            // What a search takes is not a part of the fit's time.
            if (arm.Name == ArmList.AloneSearched)
                _ = work.Searched.Value;
            var trained = alone ?? Trained.From(arm, work, fitted);
            if (arm.IsAlone)
                alone = trained;
            return Measurement.Measure(mlContext, work.Sample, trained, fitted, key, fingerprint);
        }
        catch (InvalidOperationException fault)
        {
            // A teacher at chance, for example, after too few rows: the other runs go on, and the table says what was wrong.
            return new Run { Key = key, Settings = fingerprint, Failure = fault.Message, Options = [], Written = DateTime.UtcNow };
        }
    }

    private Assignment Assign(Sample sample, int size, int seed, Lazy<AloneSetting> searched, Following progress) => new()
    {
        MlContext = mlContext,
        Views = _views,
        Sample = sample,
        Size = size,
        Seed = seed,
        Epochs = settings.Epochs,
        EpochsAlone = settings.EqualSteps ? EpochsOfTheLongest(sample) : settings.Epochs,
        Searched = searched,
        Progress = progress,
    };

    /// <summary>The first seed's choice on its own labelled rows, for all seeds.</summary>
    private AloneSetting Search(int regime, int size, LiveTable table)
    {
        const int FirstSeed = 1;
        var never = new Lazy<AloneSetting>(() => throw new InvalidOperationException("A search does not use what it finds."));
        var work = Assign(Sample.Draw(set, regime, FirstSeed), size, FirstSeed, never, table.Follow($"searching, {size}"));
        var (name, fingerprint) = ($"{set.Name}.{regime}.{size}", Fingerprint(AloneSearch.Describe(work)));
        if (folder.FindSearch(name, fingerprint) is { } known)
            return known;
        var chosen = AloneSearch.Run(work, settings.Quick);
        folder.WriteSearch(name, fingerprint, chosen);
        table.Searched(size, chosen);
        return chosen;
    }

    private int EpochsOfTheLongest(Sample sample)
    {
        var options = new DistillationOptions { Student = set.Student(Sizes[0]) };
        var rows = _arms.Max(arm => arm.Rows(sample));
        return (int)Math.Ceiling((settings.Epochs ?? options.Epochs) * Batches(rows) / Batches(sample.Labelled.Length));

        double Batches(int count) => options.Sampling.Create(options.BatchSize).BatchesPerEpoch(count);
    }

    /// <summary>Of the settings and the rows; not of the seed, so that the runs of a cell have the same.</summary>
    private string Fingerprint(string description)
    {
        var text = string.Join('\n', description.Split('\n').Where(line => !line.StartsWith("Seed", StringComparison.Ordinal)).Append(_rows));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
    }
}
