using Microsoft.ML;

namespace CompareMethods.Training;

/// <summary>The result of one student.</summary>
/// <param name="Seed">Its seed.</param>
/// <param name="Accuracy">Share of the test rows that are classified correctly.</param>
/// <param name="Agreement">Share of the test rows with the same class as the teacher's.</param>
/// <param name="Divergence">Mean KL(teacher ‖ student) over the test rows, in nats.</param>
/// <param name="Seconds">Time of the training, that before an interruption included.</param>
/// <param name="Epochs">Stage and speed of each epoch.</param>
/// <param name="Notes">The method's choices during training.</param>
/// <param name="Student">The student.</param>
internal sealed record Run(
    int Seed,
    double Accuracy,
    double Agreement,
    double Divergence,
    double Seconds,
    IReadOnlyList<(string Stage, double RowsPerSecond)> Epochs,
    IReadOnlyList<string> Notes,
    ITransformer Student);

/// <summary>A method with its chosen setting and its epochs: a row of the table.</summary>
/// <param name="Name">Its name in the table.</param>
/// <param name="Candidate">The setting.</param>
/// <param name="EpochsPerAnchor">Epochs with each anchor; all of them where there is no route.</param>
internal sealed record TrainingSetup(string Name, Candidate Candidate, int EpochsPerAnchor)
{
    public int Epochs => EpochsPerAnchor * Candidate.Anchors;

    public string EpochsText => Candidate.Anchors == 1 ? $"{Epochs}" : $"{Candidate.Anchors}×{EpochsPerAnchor}";
}

/// <summary>The search for one method's setting.</summary>
internal sealed record Search(string Method, IReadOnlyList<(Candidate Candidate, double? Accuracy)> Tried)
{
    /// <summary>The best on the held-out rows; the first of several equal ones.</summary>
    public Candidate Chosen => Tried.MaxBy(tried => tried.Accuracy ?? -1).Candidate;
}

/// <summary>A row of the table with its runs.</summary>
internal sealed record Outcome(TrainingSetup Setup, bool IsLonger, IReadOnlyList<Run> Runs)
{
    public Spread Accuracy => Spread.FromValues(Runs.Select(run => 100 * run.Accuracy));

    public Spread Agreement => Spread.FromValues(Runs.Select(run => 100 * run.Agreement));

    public Spread Divergence => Spread.FromValues(Runs.Select(run => run.Divergence));

    public double Seconds => Runs.Average(run => run.Seconds);

    /// <summary>
    /// Training time of a row in seconds: for each stage the median of its epochs over all runs, so that a short load of the machine does not matter; then the mean over
    /// the stages, weighted by their epochs.
    /// </summary>
    public double SecondsARow
    {
        get
        {
            var stages = Runs.SelectMany(run => run.Epochs).GroupBy(epoch => epoch.Stage, epoch => epoch.RowsPerSecond).Select(stage => stage.Order().ToArray());
            return stages.Sum(speeds => speeds.Length / speeds[speeds.Length / 2]) / Runs.Sum(run => run.Epochs.Count);
        }
    }
}

/// <summary>All results of the experiment.</summary>
internal sealed record Findings(
    ITransformer Teacher, double TeacherAccuracy, long TeacherParameters, long StudentParameters, IReadOnlyList<Search> Searches, IReadOnlyList<Outcome> Outcomes);
