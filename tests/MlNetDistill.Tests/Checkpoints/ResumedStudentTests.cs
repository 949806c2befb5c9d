using System.Security.Cryptography;
using Microsoft.ML;
using MlNetDistill.Tests.PinnedStudents;
using MlNetDistill.Tests.Support;
using MlNetDistill.Training;

namespace MlNetDistill.Tests.Checkpoints;

/// <summary>
/// A training that is interrupted, and continued from its checkpoints, ends with the student of a training that was not: for every method, every kind of teacher and all that changes
/// how a training runs.
/// </summary>
[Category("NoCulture")]
public sealed class ResumedStudentTests
{
    private const int Interruptions = 2;

    private static IEnumerable<string> Names() => PinnedCase.All.Select(c => c.Name);

    [TestCaseSource(nameof(Names))]
    public void A_training_that_is_interrupted_at_random_steps_ends_with_the_same_student(string name)
    {
        var named = PinnedCase.All.Single(c => c.Name == name);
        using var uninterrupted = new PinnedRun();
        using var folder = new ToyFolder();
        DistillationTransformer? whole = null;
        var steps = InterruptedOptimizer.Run(null, () => whole = uninterrupted.Fit(OptionsOf(named, uninterrupted), ViewOf(named, uninterrupted)));
        var random = new Random(name.Length);
        for (var i = 0; i < Interruptions; i++)
        {
            var checkpoints = new CheckpointOptions { Interval = random.Next(2) == 0 ? TimeSpan.Zero : null, EveryEpochs = 1, Keep = 1 + random.Next(2) };
            var last = random.Next(steps);
            try
            {
                InterruptedOptimizer.Run(last, () => Continue(checkpoints));
            }
            catch (InterruptedException)
            {
                // Continued in the next round, or after the last.
            }
        }

        AssertSame(whole!, Continue(new CheckpointOptions { Interval = null, EveryEpochs = 1 }), ViewOf(named, uninterrupted));

        // As another process would: nothing remains but what is in the folders.
        DistillationTransformer Continue(CheckpointOptions checkpoints)
        {
            using var run = new PinnedRun(folder.File("run"));
            return run.Fit(OptionsOf(named, run) with { CheckpointDirectory = folder.File("checkpoints"), Checkpoints = checkpoints }, ViewOf(named, run));
        }
    }

    private static DistillationOptions OptionsOf(PinnedCase named, PinnedRun run) => named.Options(run) with { Optimizer = new InterruptedOptimizer(0.02) };

    private static IDataView ViewOf(PinnedCase named, PinnedRun run) => (named.Rows ?? (r => r.Points))(run);

    private static void AssertSame(DistillationTransformer expected, DistillationTransformer found, IDataView view)
    {
        Assert.That(WeightsOf(found), Is.EqualTo(WeightsOf(expected)));
        Assert.That(found.Scores(view), Is.EqualTo(expected.Scores(view)));
        Assert.That(found.Model.Notes, Is.EqualTo(expected.Model.Notes));
        Assert.That(found.Model.History.Select(h => $"{h.Stage} {h.Epoch} {h.Figures} {h.LearningRate}"), Is.EqualTo(expected.Model.History.Select(h => $"{h.Stage} {h.Epoch} {h.Figures} {h.LearningRate}")));
        Assert.That(Untimed(found), Is.EqualTo(Untimed(expected)));

        IEnumerable<string> Untimed(DistillationTransformer model) => model.Model.Warnings.Where(warning => !warning.Contains("slower than its teacher", StringComparison.Ordinal));
    }

    private static string WeightsOf(DistillationTransformer model)
    {
        using var network = model.FindStudent().Model.ToNetwork();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, weights) in network.state_dict())
        {
            MachineCanary.Add(hash, name);
            using var inOrder = weights.contiguous();
            hash.AppendData(inOrder.bytes.ToArray());
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
