using CompareMethods.Data;
using CompareMethods.Report;
using CompareMethods.Training;

namespace CompareMethods;

/// <summary>
/// The experiment: each method chooses a setting on held-out training rows, then students with that setting are trained on all training rows
/// and measured on the test rows.
/// </summary>
internal sealed class Comparison(Workload work, int seeds, School school, LiveTable table)
{
    public const string LongerKd = "KD, longer";
    public const string LongerRco = "RCO, longer";

    public Findings Run()
    {
        table.Teacher(work.TeacherEpochs, school.TeacherAccuracy);
        var searches = Searches();
        var outcomes = Measure(searches);
        table.End();
        return new Findings(school.TeacherModel, school.TeacherAccuracy, school.TeacherParameters, school.StudentParameters, searches, outcomes);
    }

    private List<Search> Searches()
    {
        var searches = new List<Search>();
        foreach (var contender in Candidates.For(work))
        {
            var tried = new List<(Candidate Candidate, double? Accuracy)>();
            foreach (var candidate in contender.CreateCandidates(method => Chosen(searches, method)))
            {
                var accuracy = school.Try(candidate, table.Follow($"{contender.Method}: trying {candidate.Setting}"));
                tried.Add((candidate, accuracy));
                table.Tried(contender.Method, candidate.Setting, accuracy);
            }

            searches.Add(new Search(contender.Method, tried));
        }

        return searches;
    }

    private List<Outcome> Measure(IReadOnlyList<Search> searches)
    {
        var (kd, rco) = (Chosen(searches, Candidates.Kd), Chosen(searches, Candidates.Rco));
        List<(Lesson Lesson, bool IsLonger)> lessons =
        [
            .. searches.Select(search => (new Lesson(search.Method, search.Chosen, work.Epochs / search.Chosen.Anchors), false)),
            // The route's long form has a full schedule for every anchor; KD has as many epochs in one.
            (new Lesson(LongerKd, kd, rco.Anchors * work.Epochs), true),
            (new Lesson(LongerRco, rco, work.Epochs), true),
        ];
        var runs = lessons.Select(_ => new List<Run>()).ToArray();
        // Seed by seed, not method by method: what slows the machine for a while then falls on all methods alike.
        for (var seed = 1; seed <= seeds; seed++)
        {
            foreach (var ((lesson, isLonger), mine) in lessons.Zip(runs))
            {
                mine.Add(school.Train(lesson, seed, table.Follow($"{lesson.Name}: seed {seed} of {seeds}")));
                table.Finished(new Outcome(lesson, isLonger, mine));
            }
        }

        return [.. lessons.Zip(runs, (lesson, mine) => new Outcome(lesson.Lesson, lesson.IsLonger, mine))];
    }

    private static Candidate Chosen(IReadOnlyList<Search> searches, string method) => searches.Single(search => search.Method == method).Chosen;
}
