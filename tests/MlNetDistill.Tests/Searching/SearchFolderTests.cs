using System.Text.Json;
using Microsoft.ML;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Searching;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Searching;

/// <summary>A search that is interrupted continues in its folder.</summary>
public sealed class SearchFolderTests
{
    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _view;

    public SearchFolderTests() => _view = _context.Keyed(Rows.Points());

    [TestCase(3)]
    [TestCase(99)]
    public void An_interrupted_search_continues_and_gives_the_same_result(int trainings)
    {
        using var folder = new ToyFolder();
        var whole = Search(Searches.Quick(2));
        using var cancellation = new CancellationTokenSource();
        var (ended, continued) = (0, 0);
        Assert.That(
            () => Search(
                Searches.Quick(2) with { Folder = folder.Path, Progress = new Watcher(p => _ = p.Epoch is null && ++ended == trainings ? cancellation.CancelAsync() : null) },
                cancellation.Token),
            trainings < 99 ? Throws.InstanceOf<OperationCanceledException>() : Throws.Nothing);
        var result = Search(Searches.Quick(2) with { Folder = folder.Path, Progress = new Watcher(p => continued += p.Epoch is { Epoch: 1 } ? 1 : 0) });
        Assert.That(result.Lines(), Is.EqualTo(whole.Lines()));
        Assert.That(result.Model.Scores(_view), Is.EqualTo(whole.Model.Scores(_view)));
        Assert.That(result.Alone.Scores(_view), Is.EqualTo(whole.Alone.Scores(_view)));
        Assert.That(result.Model.Model.History, Has.Count.EqualTo(whole.Model.Model.History.Count));
        Assert.That(continued, Is.EqualTo(whole.Leaderboard.Sum(trial => trial.Rungs.Count) - ended), "what was finished is not trained again");
    }

    [Test]
    public void Other_rows_and_other_options_do_not_continue_it()
    {
        using var folder = new ToyFolder();
        Search(Searches.Quick(1) with { Folder = folder.Path });
        Assert.That(CountTrainings(_view, _context.Student(_view)), Is.Zero);
        Assert.That(CountTrainings(_view, _context.Student(_view) with { BatchSize = 17 }), Is.EqualTo(4));
        Assert.That(CountTrainings(_view, _context.Student(_view) with { Precision = TrainingPrecision.BFloat16 }), Is.EqualTo(4));
        Assert.That(CountTrainings(_context.Keyed(Rows.Points(seed: 6)), _context.Student(_view)), Is.EqualTo(4));
        Assert.That(Directory.GetDirectories(folder.Path), Has.Length.EqualTo(4));

        int CountTrainings(IDataView view, DistillationOptions options)
        {
            var count = 0;
            _context.Trainer(options).Search(view, Searches.Quick(1) with { Folder = folder.Path, Progress = new Watcher(p => count += p.Epoch is { Epoch: 1 } ? 1 : 0) });
            return count;
        }
    }

    [Test]
    public void Another_matrix_of_similarities_and_another_projection_do_not_continue_it()
    {
        using var folder = new ToyFolder();
        DistillationMethod Similar(double first) => DistillationMethod.PartialKd(TeacherTargets.ClassSimilarity(new[,] { { 1, first, 0 }, { first, 1, 0 }, { 0, 0, 1 } }), 1, 0.5);
        var student = NetworkSpec.Projected(NetworkSpec.Mlp(8), 6);
        Assert.That(CountTrainings(Similar(0.5), student), Is.EqualTo(4));
        Assert.That(CountTrainings(Similar(0.5), student), Is.Zero);
        Assert.That(CountTrainings(Similar(0.25), student), Is.EqualTo(1), "the student alone is the same");
        Assert.That(CountTrainings(Similar(0.5), NetworkSpec.Projected(NetworkSpec.Mlp(8), 6, reduction: 1)), Is.EqualTo(4), "its name is the same");

        int CountTrainings(DistillationMethod method, NetworkSpec network)
        {
            var count = 0;
            var search = Searches.Quick() with { Folder = folder.Path, Progress = new Watcher(p => count += p.Epoch is { Epoch: 1 } ? 1 : 0) };
            _context.Trainer(_context.Student(_view) with { Student = network }).Search(_view, search with { Space = search.Space with { Methods = [method] } });
            return count;
        }
    }

    [Test]
    public void A_damaged_file_is_named()
    {
        using var folder = new ToyFolder();
        Search(Searches.Quick(2) with { Folder = folder.Path });
        var file = Directory.GetFiles(folder.Path, "*.json", SearchOption.AllDirectories)[0];
        File.WriteAllText(file, "{");
        Assert.That(() => Search(Searches.Quick(2) with { Folder = folder.Path }), Throws.TypeOf<InvalidDataException>()
            .With.Message.StartsWith($"'{file}' should hold a finished training of a search, and cannot be read: ").And.Message.EndsWith("Delete the file, and the search trains it again."));
    }

    /// <summary>They have the checksum that was written with them, and are not a student's.</summary>
    [Test]
    public void Weights_of_no_network_are_named()
    {
        using var folder = new ToyFolder();
        Search(Searches.Quick(2) with { Folder = folder.Path });
        var directory = Directory.GetDirectories(folder.Path).Single();
        var store = new TrialStore(folder.Path, Path.GetFileName(directory)["search-".Length..]);
        foreach (var file in Directory.GetFiles(directory, "*.json"))
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(file));
            store.Add(store.Find(json.RootElement.GetProperty("value").GetProperty("setting").GetString()!)! with { Weights = [1, 2, 3] });
        }

        var thrown = Assert.Throws<InvalidDataException>(() => Search(Searches.Quick(2) with { Folder = folder.Path }))!;
        Assert.That(thrown.Message, Does.StartWith($"'{directory}{Path.DirectorySeparatorChar}").And.Contain(".weights' should hold a finished training of a search, and cannot be read: there are ")
            .And.EndWith("Delete the file, and the search trains it again."));
    }

    private SearchResult Search(SearchOptions search, CancellationToken cancellation = default) =>
        _context.Trainer(_context.Student(_view) with { CancellationToken = cancellation }).Search(_view, search);
}
