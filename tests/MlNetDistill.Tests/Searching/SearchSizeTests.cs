using Microsoft.ML;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Searching;

/// <summary>The goal of the smallest student.</summary>
public sealed class SearchSizeTests
{
    private static readonly NetworkSpec[] Sizes = [NetworkSpec.Mlp(1), NetworkSpec.Mlp(4), NetworkSpec.Mlp(16), NetworkSpec.Mlp(64)];
    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _view;

    public SearchSizeTests() => _view = _context.Keyed(Rows.Points(600));

    [TestCase(SearchMeasure.Accuracy, 0.95)]
    [TestCase(SearchMeasure.Agreement, 0.9)]
    public void The_smallest_student_that_keeps_enough_is_found(SearchMeasure of, double keeps)
    {
        var result = Search(SearchGoal.SmallestStudent(keeps, of), Sizes);
        var enough = of == SearchMeasure.Accuracy ? keeps * result.TeacherAccuracy : keeps;
        Assert.That(Quality(result.Best, of), Is.GreaterThanOrEqualTo(enough));
        var smaller = result.Leaderboard.Where(trial => !trial.IsAlone && trial.Last!.Epochs == 6 && trial.Parameters < result.Best.Parameters);
        Assert.That(smaller.Select(trial => Quality(trial, of)), Is.All.LessThan(enough));
        Assert.That(result.Best.Student, Is.Not.EqualTo(Sizes[^1]));
        Assert.That(result.BestAlone.Student, Is.EqualTo(result.Best.Student), "compared with the same network");
        Assert.That(result.Verdict, Does.Contain(of == SearchMeasure.Accuracy ? " of the teacher's accuracy; 95.00 % was asked for" : " of the teacher's answers; 90.00 % was asked for"));
    }

    [Test]
    public void If_no_student_keeps_enough_the_best_is_returned_and_the_verdict_says_so()
    {
        // Three classes along a line that a network with one unit follows roughly.
        var options = Rows.Quick(_context.Saying(_view, RowsTeachers.Rule)) with { MinimumTeacherAccuracy = 0 };
        var result = Search(SearchGoal.SmallestStudent(1, SearchMeasure.Agreement), [NetworkSpec.Mlp(1), NetworkSpec.Mlp(2)], options);
        Assert.That(result.Best.Last!.Agreement, Is.LessThan(1).And.EqualTo(result.Leaderboard.Where(t => t.Last!.Epochs == 6 && !t.IsAlone).Max(t => t.Last!.Agreement)));
        Assert.That(result.Verdict, Does.Contain("so it falls short"));
    }

    [Test]
    public void Without_a_list_of_students_narrower_forms_of_a_perceptron_are_tried()
    {
        var options = _context.Student(_view) with { Student = NetworkSpec.Mlp(32, 8) };
        var result = _context.Trainer(options).Search(_view, Searches.Quick(1) with { Goal = SearchGoal.SmallestStudent(0.95) });
        Assert.That(result.Leaderboard.Where(t => !t.IsAlone).Select(t => t.Student), Is.EquivalentTo(
            new[] { NetworkSpec.Mlp(32, 8), NetworkSpec.Mlp(16, 4), NetworkSpec.Mlp(8, 2), NetworkSpec.Mlp(4, 1) }));
    }

    private static double Quality(SearchTrial trial, SearchMeasure of) => of == SearchMeasure.Accuracy ? trial.Last!.Accuracy : trial.Last!.Agreement;

    private SearchResult Search(SearchGoal goal, IReadOnlyList<NetworkSpec> students, DistillationOptions? options = null) => _context.Trainer(options ?? _context.Student(_view)).Search(_view, new SearchOptions
    {
        Goal = goal,
        Space = new SearchSpace { Students = students, Methods = Searches.Methods(2), LearningRates = [0.03], TransferRows = [null] },
        MinimumSteps = 1,
    });
}
