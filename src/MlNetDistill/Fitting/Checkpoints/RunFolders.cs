using MlNetDistill.Training;

namespace MlNetDistill.Fitting;

/// <summary>
/// The folders of trainings in a checkpoint directory, each with the random name of a training. The description in the directory says which of them is valid, so that another
/// training replaces one in a single step; the others are leftovers.
/// </summary>
internal static class RunFolders
{
    /// <summary>The folder of a training.</summary>
    public static string PathOf(string directory, string run) => Path.Combine(directory, run);

    /// <summary>Refuses a directory that has checkpoints and no description of what they are.</summary>
    /// <exception cref="InvalidOperationException">It has.</exception>
    public static void CheckUnused(string directory)
    {
        if (Find(directory).SelectMany(CheckpointFiles.FindAll).FirstOrDefault() is { } file)
        {
            throw new InvalidOperationException(
                $"'{directory}' has checkpoints ('{Path.GetRelativePath(directory, file)}') and no {FitDescription.FileName} that says of what. Give another CheckpointDirectory, or delete them.");
        }
    }

    /// <summary>Deletes the folders of other trainings.</summary>
    /// <param name="directory">The checkpoint directory.</param>
    /// <param name="run">The training that stays.</param>
    /// <param name="warn">Receives a warning of a folder that cannot be deleted: it takes space, and is no reason not to train.</param>
    public static void DeleteOthers(string directory, string run, Action<string> warn)
    {
        foreach (var folder in Find(directory).Where(folder => Path.GetFileName(folder) != run))
        {
            try
            {
                Directory.Delete(folder, recursive: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                warn($"The folder '{folder}' of an earlier training cannot be deleted: {e.Message} The next training in this directory tries again.");
            }
        }
    }

    private static IEnumerable<string> Find(string directory) =>
        Directory.GetDirectories(directory).Where(folder => Guid.TryParseExact(Path.GetFileName(folder), "N", out _));
}
