using CompareMethods.Data;
using CompareMethods.Report;
using CompareMethods.Training;

namespace CompareMethods;

/// <summary>
/// The experiment: each method chooses a setting on held-out training rows, then students with that setting are trained on all training rows
/// and measured on the test rows.
/// </summary>
internal sealed class Comparison(Workload work, int seeds, ModelTrainer trainer, LiveTable table)
{
    public const string LongerKd = "KD, longer";
    public const string LongerRco = "RCO, longer";

    public Findings Run()
    {
        table.Teacher(work.TeacherEpochs, trainer.TeacherAccuracy);
        var searches = Searches();
        var outcomes = Measure(searches);
        table.End();
        return new Findings(trainer.TeacherModel, trainer.TeacherAccuracy, trainer.TeacherParameters, trainer.StudentParameters, searches, outcomes);
    }

    private List<Search> Searches()
    {
        var searches = new List<Search>();
        foreach (var method in Candidates.For(work))
        {
            var tried = new List<(Candidate Candidate, double? Accuracy)>();
            foreach (var candidate in Candidates.Create(method, work, name => Chosen(searches, name)))
            {
                var accuracy = trainer.Try(method.Method, candidate, table.Follow($"{method.Method}: trying {candidate.Setting}"));
                tried.Add((candidate, accuracy));
                table.Tried(method.Method, candidate.Setting, accuracy);
            }

            searches.Add(new Search(method.Method, tried));
        }

        return searches;
    }

    private List<Outcome> Measure(IReadOnlyList<Search> searches)
    {
        List<(TrainingSetup Setup, bool IsLonger)> setups =
            [.. searches.Select(search => (new TrainingSetup(search.Method, search.Chosen, work.Epochs / search.Chosen.Anchors), false))];
        if (searches.SingleOrDefault(search => search.Method == Candidates.Rco)?.Chosen is { } rco)
        {
            // The route's long form has a full schedule for every anchor; KD has as many epochs in one.
            setups.Add((new TrainingSetup(LongerKd, Chosen(searches, Candidates.Kd), rco.Anchors * work.Epochs), true));
            setups.Add((new TrainingSetup(LongerRco, rco, work.Epochs), true));
        }

        var runs = setups.Select(_ => new List<Run>()).ToArray();
        // Seed by seed, not method by method: what slows the machine for a while then falls on all methods alike.
        for (var seed = 1; seed <= seeds; seed++)
        {
            foreach (var ((setup, isLonger), mine) in setups.Zip(runs))
            {
                mine.Add(trainer.Train(setup, seed, table.Follow($"{setup.Name}: seed {seed} of {seeds}")));
                table.Finished(new Outcome(setup, isLonger, mine));
            }
        }

        return [.. setups.Zip(runs, (setup, mine) => new Outcome(setup.Setup, setup.IsLonger, mine))];
    }

    private static Candidate Chosen(IReadOnlyList<Search> searches, string method) => searches.Single(search => search.Method == method).Chosen;
}
