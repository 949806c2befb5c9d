using MlNetDistill.Networks;

namespace MlNetDistill.Tests.Conventions;

/// <summary>
/// The rooms of the libraries and the arrows between them. A room is a first folder and a namespace; the folders in it sort its files. CONTRIBUTING.md has the
/// picture.
/// </summary>
[Category("NoCulture")]
public sealed class ArchitectureTests
{
    private const string Torch = "MlNetDistill.Torch";
    private const string Scoring = "MlNetDistill.Scoring";

    /// <summary>Each room of the Torch side, and the rooms that it may use: of those above it in this table alone.</summary>
    private static readonly (string Room, string[] MayUse)[] TorchRooms =
    [
        ("Core", []),
        ("Networks", ["Core"]),
        ("Data", ["Core", "Networks"]),
        ("Losses", ["Core", "Networks", "Data"]),
        ("Cache", ["Core", "Networks"]),
        ("Teachers", ["Core", "Networks", "Data", "Cache"]),
        ("Methods", ["Core", "Networks", "Data", "Losses", "Teachers"]),
        ("Training", ["Core", "Networks", "Data", "Losses", "Teachers", "Methods"]),
    ];

    /// <summary>The same of the ML.NET side, whose rooms may use all of the Torch side. Two folders of Api have places of their own.</summary>
    private static readonly (string Room, string[] MayUse)[] MlNetRooms =
    [
        ("Api/Options", []),
        ("Diagnostics", []),
        ("Alignment", ["Api/Options", "Diagnostics"]),
        ("Reading", ["Api/Options", "Diagnostics", "Alignment"]),
        ("Export", ["Reading"]),
        ("Evaluation", ["Api/Options", "Alignment", "Reading", "Export"]),
        ("Teachers", ["Api/Options", "Diagnostics", "Alignment", "Reading", "Export"]),
        ("Api/Models", ["Api/Options", "Export", "Evaluation"]),
        ("Fitting", ["Api/Options", "Diagnostics", "Alignment", "Reading", "Export", "Evaluation", "Teachers", "Api/Models"]),
        ("Searching", ["Api/Options", "Evaluation", "Api/Models", "Fitting"]),
        ("Api", ["Api/Options", "Diagnostics", "Alignment", "Reading", "Export", "Evaluation", "Teachers", "Api/Models", "Fitting", "Searching"]),
        ("Reporting", ["Api/Options", "Reading", "Export", "Evaluation", "Api/Models", "Api"]),
    ];

    /// <summary>The same of the scoring side, which uses neither of the others, but contains a file of Export.</summary>
    private static readonly (string Room, string[] MayUse)[] ScoringRooms =
    [
        ("Computing", []),
        ("Students", ["Computing"]),
        ("Views", ["Computing", "Students"]),
        ("Api", ["Computing", "Students", "Views"]),
    ];

    /// <summary>
    /// The folders in a room, and those beside them that they may use, of those above them in this table alone. A room's own files may use all of its folders, and its
    /// folders them.
    /// </summary>
    private static readonly (string Folder, string[] MayUse)[] Folders =
    [
        ($"{Torch}/Core/Files", []),
        ($"{Torch}/Networks/Onnx", []),
        ($"{Torch}/Networks/Blocks", ["Onnx"]),
        ($"{Torch}/Networks/Zoo", ["Blocks"]),
        ($"{Torch}/Data/Sources", []),
        ($"{Torch}/Data/Sampling", ["Sources"]),
        ($"{Torch}/Data/Augmentation", ["Sources"]),
        ($"{Torch}/Cache/Format", []),
        ($"{Torch}/Cache/Store", ["Format"]),
        ($"{Torch}/Teachers/Live", []),
        ($"{Torch}/Teachers/Imported", ["Live"]),
        ($"{Torch}/Teachers/Composite", ["Live"]),
        ($"{Torch}/Training/Tasks", []),
        ($"{Torch}/Training/State", ["Tasks"]),
        ($"{Torch}/Training/Checkpoints", ["State"]),
        ($"{Torch}/Training/Observers", ["Tasks", "State"]),
        ($"{Torch}/Training/Execution", ["State", "Observers"]),
        ($"{Torch}/Training/Loop", ["Tasks", "State", "Checkpoints", "Observers", "Execution"]),
        ("MlNetDistill/Api/Options", []),
        ("MlNetDistill/Api/Models", ["Options"]),
        ("MlNetDistill/Reading/Columns", []),
        ("MlNetDistill/Reading/Transfer", []),
        ("MlNetDistill/Evaluation/Metrics", []),
        ("MlNetDistill/Evaluation/Cost", []),
        ("MlNetDistill/Evaluation/Overlap", []),
        ("MlNetDistill/Evaluation/Retrieval", []),
        ("MlNetDistill/Evaluation/Acceptance", ["Metrics", "Cost", "Overlap"]),
        ("MlNetDistill/Teachers/Custom", []),
        ("MlNetDistill/Teachers/Onnx", []),
        ("MlNetDistill/Teachers/Models", []),
        ("MlNetDistill/Teachers/Rows", []),
        ("MlNetDistill/Teachers/Embeddings", []),
        ("MlNetDistill/Teachers/Routes", []),
        ("MlNetDistill/Fitting/Checkpoints", []),
        ("MlNetDistill/Fitting/Checks", []),
        ("MlNetDistill/Fitting/Preflight", ["Checks"]),
        ("MlNetDistill/Reporting/Page", []),
        ("MlNetDistill/Reporting/Charts", ["Page"]),
        ("MlNetDistill/Reporting/Verdict", []),
        ("MlNetDistill/Reporting/Sections", ["Page", "Charts", "Verdict"]),
    ];

    /// <summary>The only rooms whose files may move values between data views and tensors.</summary>
    private static readonly string[] CursorsToTensors = ["MlNetDistill/Reading", "MlNetDistill/Export"];

    private static readonly Dictionary<string, string[]> Allowed = new[]
    {
        TorchRooms.Select(room => KeyValuePair.Create($"{Torch}/{room.Room}", room.MayUse.Select(used => $"{Torch}/{used}").ToArray())),
        MlNetRooms.Select(room => KeyValuePair.Create(
            $"MlNetDistill/{room.Room}", room.MayUse.Select(used => $"MlNetDistill/{used}").Concat(TorchRooms.Select(used => $"{Torch}/{used.Room}")).ToArray())),
        ScoringRooms.Select(room => KeyValuePair.Create(
            $"{Scoring}/{room.Room}", room.MayUse.Select(used => $"{Scoring}/{used}").Concat(room.Room == "Students" ? ["MlNetDistill/Export"] : []).ToArray())),
    }.SelectMany(rooms => rooms).ToDictionary();

    [Test]
    public void The_Torch_side_does_not_reference_ML_NET() => Assert.That(
        typeof(Network).Assembly.GetReferencedAssemblies().Select(a => a.Name), Has.None.StartsWith("Microsoft.ML"));

    [Test]
    public void The_scoring_side_references_neither_of_the_others_nor_TorchSharp() => Assert.That(
        typeof(BatchScorer).Assembly.GetReferencedAssemblies().Select(a => a.Name), Has.None.StartsWith("MlNetDistill").And.None.StartsWith("TorchSharp"));

    [Test]
    public void Every_folder_has_its_place()
    {
        Assert.That(SourceFile.All.Select(RoomOf).Distinct(), Is.EquivalentTo(Allowed.Keys));
        Assert.That(SourceFile.All.Select(FolderOf).Where(folder => folder is not null).Distinct(), Is.EquivalentTo(Folders.Select(f => f.Folder)));
    }

    [Test]
    public void The_allowed_arrows_make_no_circle()
    {
        var rooms = Allowed.Keys.ToList();
        var folders = Folders.Select(f => f.Folder).ToList();
        var upwards = Allowed.SelectMany(room => room.Value.Select(used => (From: room.Key, To: used, Places: rooms)))
            .Concat(Folders.SelectMany(f => f.MayUse.Select(used => (From: f.Folder, To: Beside(f.Folder, used), Places: folders))))
            .Where(arrow => arrow.Places.IndexOf(arrow.To) < 0 || arrow.Places.IndexOf(arrow.To) >= arrow.Places.IndexOf(arrow.From))
            .Select(arrow => $"{arrow.From} uses {arrow.To}");
        Assert.That(upwards, Is.Empty);
    }

    [Test]
    public void A_room_uses_only_rooms_below_it() =>
        AssertArrows(RoomOf, (from, to) => from == to || Allowed[from!].Contains(to));

    [Test]
    public void The_allowed_arrows_of_rooms_are_those_that_there_are()
    {
        var rooms = SourceFile.All.ToDictionary(file => file.Path, RoomOf);
        var used = SourceFile.All.SelectMany(file => file.Uses.SelectMany(use => use.Files).Select(declaring => (From: rooms[file.Path], To: rooms[declaring]))).ToHashSet();
        var unused = Allowed.SelectMany(room => room.Value.Select(to => (From: room.Key, To: to)))
            .Where(arrow => Library(arrow.From) == Library(arrow.To) && !used.Contains(arrow));
        Assert.That(unused, Is.Empty, "No code needs these arrows any more; take them out of the table and of CONTRIBUTING.md.");

        static string Library(string room) => room.Split('/')[0];
    }

    [Test]
    public void A_folder_in_a_room_uses_only_the_folders_beside_it_that_are_below_it()
    {
        var allowed = Folders.ToDictionary(f => f.Folder, f => f.MayUse.Select(used => Beside(f.Folder, used)));
        AssertArrows(FolderOf, (from, to) => from is null || to is null || from == to || Beside(from, "") != Beside(to, "") || allowed[from].Contains(to));
    }

    /// <summary>
    /// Api has what users write in every pipeline, and ML.NET's catalogs are extended in its own namespace. A part of a type has the namespace of the type, and .NET
    /// looks for a startup hook in none.
    /// </summary>
    [Test]
    public void A_namespace_is_its_room()
    {
        var declared = SourceFile.All.ToLookup(file => Path.GetFileNameWithoutExtension(file.Path), file => file.Namespace);
        var wrong =
            from file in SourceFile.All
            let room = file.Path.Split('/')[1]
            let type = Path.GetFileName(file.Path).Split('.')[0]
            let expected = room != "Api" ? [$"MlNetDistill.{room}"] : new[] { "MlNetDistill", "Microsoft.ML" }
            where type != "StartupHook" && !expected.Contains(file.Namespace) && !(file.Path.EndsWith($"{type}.cs", StringComparison.Ordinal) ? [] : declared[type]).Contains(file.Namespace)
            select $"{file.Path} is in {file.Namespace}";
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void Only_Reading_and_Export_have_cursors_and_tensors_in_one_file()
    {
        var both =
            from file in SourceFile.All
            where file.Uses.Any(use => use.Type.Name is "DataViewRowCursor" or "DataViewRow" or "ValueGetter" || use.Name is "GetRowCursor" or "GetRowCursorSet")
                && file.Uses.Any(use => use.Type.ContainingAssembly?.Name == "TorchSharp")
            select file;
        Assert.That(both.Select(RoomOf).Distinct(), Is.EquivalentTo(CursorsToTensors), string.Join(", ", both.Select(file => file.Path)));
    }

    private static void AssertArrows(Func<SourceFile, string?> placeOf, Func<string?, string?, bool> isAllowed)
    {
        var places = SourceFile.All.ToDictionary(file => file.Path, placeOf);
        var arrows =
            from file in SourceFile.All
            from use in file.Uses
            where use.Files.Count > 0
            select (IsAllowed: use.Files.Any(declaring => isAllowed(places[file.Path], places[declaring])), Text: $"{file.Path} uses {use.Name} of {use.Files[0]}");
        var wrong = arrows.Where(arrow => !arrow.IsAllowed).Select(arrow => arrow.Text).Distinct().ToList();
        Assert.That(arrows.Count(), Is.GreaterThan(10_000), "the names of types and members that the compiler has found");
        Assert.That(wrong, Is.Empty, string.Join(Environment.NewLine, wrong));
    }

    /// <summary>The longest place in the tables that a file lies in.</summary>
    private static string RoomOf(SourceFile file) =>
        Allowed.Keys.Where(room => $"{file.Folder}/".StartsWith($"{room}/", StringComparison.Ordinal)).MaxBy(room => room.Length)
        ?? string.Join('/', file.Path.Split('/')[..2]);

    /// <summary>The folder in a room that a file lies in; null for a file of the room's own.</summary>
    private static string? FolderOf(SourceFile file) => file.Path.Split('/') is [var project, var room, var folder, _, ..] ? $"{project}/{room}/{folder}" : null;

    private static string Beside(string folder, string name) => $"{folder[..folder.LastIndexOf('/')]}/{name}";
}
