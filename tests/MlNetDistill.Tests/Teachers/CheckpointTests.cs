using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Teachers;

/// <summary>Checkpoint files say what they are of, and are used for nothing else.</summary>
public sealed class CheckpointTests
{
    private readonly MLContext _context = Rows.Context();
    private readonly Point[] _rows = Rows.Points();
    private ToyFolder _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = new ToyFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void Classes_go_by_name_where_the_first_two_rows_of_the_training_file_are_swapped()
    {
        var files = Train(InOrderOfRows(_rows));
        Point[] swapped = [_rows[1], _rows[0], .. _rows[2..]];
        var model = _context.Fit(Rco(Route.FromCheckpoints(NetworkSpec.Mlp(16), files)), InOrderOfRows(swapped));
        var named = _context.Transforms.Conversion.MapKeyToValue("PredictedLabel").Fit(model.Transform(InOrderOfRows(swapped)));
        var predicted = named.Transform(model.Transform(InOrderOfRows(swapped))).GetColumn<string>("PredictedLabel");
        Assert.That(predicted.Zip(swapped, (name, row) => name == row.Label ? 1.0 : 0).Average(), Is.GreaterThan(0.9));
    }

    [Test]
    public void The_scores_of_a_checkpoint_follow_the_classes_and_keep_their_bits()
    {
        var file = Train(InOrderOfRows(_rows))[^1];
        Point[] swapped = [_rows[1], _rows[0], .. _rows[2..]];
        var scores = Scores(file, InOrderOfRows(_rows));
        var moved = Scores(file, InOrderOfRows(swapped));
        // Softmax adds up in another order, so the last digits may differ.
        foreach (var (before, after) in scores.Skip(2).Zip(moved.Skip(2)))
            Assert.That(after, Is.EqualTo(new[] { before[1], before[0], before[2] }).Within(1e-6f));
    }

    [Test]
    public void A_checkpoint_of_other_classes_is_refused_with_both_lists()
    {
        var file = Train(_context.Keyed(_rows))[^1];
        Point[] others = [.. _rows.Select(row => new Point { Label = row.Label == "cedar" ? "elm" : row.Label, Features = row.Features })];
        Assert.That(() => Scores(file, _context.Keyed(others)), Throws.InvalidOperationException.With.Message.StartsWith(
            $"The classes of the teacher (checkpoint '{file}') and of the student differ: the teacher lacks 'elm'; the student lacks 'cedar'. "));
    }

    [Test]
    public void A_checkpoint_that_does_not_name_its_classes_is_not_matched_by_position()
    {
        var unnamed = _context.Data.LoadFromEnumerable(_rows.Select((row, i) => new Numbered { Class = (uint)(i % 3), Features = row.Features }));
        var file = Train(unnamed)[^1];
        Assert.That(Scores(file, unnamed), Has.Length.EqualTo(_rows.Length), "keys without values on both sides are their numbers");
        Assert.That(() => Scores(file, _context.Keyed(_rows)), Throws.InvalidOperationException.With.Message.EqualTo(
            $"The checkpoint '{file}' was trained on a label column whose 3 keys have no values, and classes are never matched by position: those of the label " +
            "column here are 'ash', 'birch', 'cedar'. Train the route anew on this label column."));
    }

    [Test]
    public void A_damaged_checkpoint_is_refused_or_scores_the_same_to_the_bit()
    {
        var view = _context.Keyed(_rows[..12]);
        var file = Train(_context.Keyed(_rows))[^1];
        var (whole, scores) = (File.ReadAllBytes(file), Scores(file, view));
        var random = new Random(7);
        var refused = 0;
        for (var i = 0; i < 400; i++)
        {
            File.WriteAllBytes(file, Mutated(whole, random));
            try
            {
                Assert.That(Scores(file, view), Is.EqualTo(scores));
            }
            catch (InvalidOperationException e)
            {
                Assert.That(e.Message, Does.StartWith($"The checkpoint '{file}' cannot be used: it "));
                refused++;
            }
        }

        Assert.That(refused, Is.GreaterThan(390), "only a change that changes nothing may pass");
    }

    [Test]
    public void A_second_run_in_the_same_folder_is_refused_before_it_trains_and_leaves_the_first_as_it_was()
    {
        var files = Train(_context.Keyed(_rows));
        var before = files.Select(File.ReadAllBytes).ToArray();
        var progress = new RowsProgress();
        Assert.That(
            () => _context.Fit(Rco(Route.Train(NetworkSpec.Mlp(16), every: 1, epochs: 2, folder: _folder.Path)) with { Progress = progress }, _context.Keyed(_rows)),
            Throws.InvalidOperationException.With.Message.StartsWith(
                $"The route's folder '{_folder.Path}' holds checkpoints of another run (anchor-0002.weights and 1 more), which would mix with this one's. Give each run a folder of its own"));
        Assert.That(progress.Reports, Is.Empty);
        Assert.That(files.Select(File.ReadAllBytes), Is.EqualTo(before));
        Assert.That(_folder.Entries, Has.Length.EqualTo(2));
    }

    [Test]
    public void Checkpoints_of_two_runs_are_no_route()
    {
        var first = Train(_context.Keyed(_rows), "first");
        var second = Train(_context.Keyed(_rows), "second");
        Assert.That(() => Scores([first[0], second[1]], _context.Keyed(_rows)), Throws.InvalidOperationException.With.Message.Matches(
            "The checkpoints '.*first.anchor-0002.weights' \\(run [0-9a-f]{32}\\) and '.*second.anchor-0004.weights' \\(run [0-9a-f]{32}\\) are of two trainings"));
    }

    [Test]
    public void Checkpoints_whose_epochs_do_not_rise_are_refused_whatever_the_files_are_called()
    {
        var files = Train(_context.Keyed(_rows));
        File.Move(files[0], _folder.File("strong"));
        File.Move(files[1], _folder.File("weak"));
        Assert.That(() => Scores([_folder.File("weak"), _folder.File("strong")], _context.Keyed(_rows)), Throws.InvalidOperationException.With.Message.EqualTo(
            $"The checkpoint '{_folder.File("strong")}' is of epoch 2, and '{_folder.File("weak")}', which is listed before it, of epoch 4. List the files in the order of training."));
    }

    [Test]
    public void A_checkpoint_that_another_replaced_during_a_fit_is_refused()
    {
        var files = Train(_context.Keyed(_rows), "first", epochs: 6);
        var other = Train(_context.Keyed(_rows), "second")[1];
        // The second of three anchors is loaded when its stage begins, after the first stage has reported.
        var replaced = new RowsProgress(_ => File.Copy(other, files[1], overwrite: true));
        Assert.That(
            () => _context.Fit(Rco(Route.FromCheckpoints(NetworkSpec.Mlp(16), files)) with { Progress = replaced }, _context.Keyed(_rows)),
            Throws.InvalidOperationException.With.Message.StartsWith($"The checkpoint '{files[1]}' has been replaced by another since this run began"));
    }

    [Test]
    public void A_checkpoint_of_other_features_is_refused()
    {
        var file = Train(_context.Keyed(_rows))[^1];
        var wider = _context.Keyed(_rows.Select(row => new Wide { Label = row.Label, Features = [.. row.Features, 1] }));
        Assert.That(() => Scores(file, wider), Throws.InvalidOperationException.With.Message.EqualTo(
            $"The checkpoint '{file}' reads vector of 4 of Single, and the feature column has vector of 5 of Single. Give the features that the route was trained on."));
    }

    [Test]
    public void A_checkpoint_scales_its_input_as_in_its_own_training()
    {
        var network = NetworkSpec.Mlp(16) with { InputScaling = InputScaling.Standardize };
        var file = Train(_context.Keyed(_rows), network: network)[^1];
        var all = Scores([file], _context.Keyed(_rows), network);
        // These rows are of one class but for two, and have other means.
        Point[] few = [.. _rows.Where((_, i) => i % 3 == 0 || i < 3)];
        var some = Scores([file], _context.Keyed(few), network);
        foreach (var (score, same) in some.Zip(all.Where((_, i) => i % 3 == 0 || i < 3)))
            Assert.That(score, Is.EqualTo(same).Within(1e-6f));
    }

    [Test]
    public void Features_on_another_scale_than_in_training_are_warned_of()
    {
        var file = Train(_context.Keyed(_rows))[^1];
        var log = new RowsLog(_context);
        Scores(file, _context.Keyed(_rows));
        Assert.That(log.Warnings, Is.Empty);
        Scores(file, _context.Keyed(_rows.Select(row => new Point { Label = row.Label, Features = [.. row.Features.Select(x => 255 * x)] })));
        Assert.That(log.Warnings, Has.Some.StartsWith("The features are on another scale than those that the checkpoints were trained on (the first of them had mean "));
    }

    private static byte[] Mutated(byte[] whole, Random random)
    {
        var bytes = (byte[])whole.Clone();
        var at = random.Next(bytes.Length);
        switch (random.Next(5))
        {
            case 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                return bytes;
            case 1:
                bytes[at] = (byte)random.Next(256);
                return bytes;
            case 2:
                return bytes[..at];
            case 3:
                return [.. bytes[..at], .. bytes[Math.Min(at + random.Next(1, 9), bytes.Length)..]];
            default:
                return [.. bytes, (byte)random.Next(256)];
        }
    }

    private static DistillationOptions Rco(Teacher route) =>
        Rows.Quick(route) with { Method = DistillationMethod.Rco(), Epochs = 4, MinimumTeacherAccuracy = 0 };

    /// <summary>A key whose classes are in the order in which they first come, as <c>MapValueToKey</c> has them by default.</summary>
    private IDataView InOrderOfRows(Point[] rows)
    {
        var view = _context.Data.LoadFromEnumerable(rows);
        return _context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(view).Transform(view);
    }

    private string[] Train(IDataView view, string folder = "", NetworkSpec? network = null, int epochs = 4)
    {
        var path = _folder.File(folder);
        _context.Fit(Rco(Route.Train(network ?? NetworkSpec.Mlp(16), every: 2, epochs: epochs, folder: path)) with { Epochs = 2 }, view);
        return [.. Directory.GetFiles(path).Order()];
    }

    private float[][] Scores(string file, IDataView view) => Scores([file], view);

    private float[][] Scores(string[] files, IDataView view, NetworkSpec? network = null)
    {
        var options = Rco(Route.FromCheckpoints(network ?? NetworkSpec.Mlp(16), files));
        return [.. _context.MulticlassClassification.Trainers.Distill(options).ScoreTeacher(view).GetColumn<float[]>("TeacherScore")];
    }

    private sealed class Numbered
    {
        [KeyType(3)]
        public uint Class { get; set; }

        [VectorType(4)]
        public float[] Features { get; set; } = [];
    }

    private sealed class Wide
    {
        public string Label { get; set; } = "";

        [VectorType(5)]
        public float[] Features { get; set; } = [];
    }
}
