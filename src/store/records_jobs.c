#include "store/store.h"

#include <stdlib.h>

void store_job_free(struct store_job *job)
{
	char *const texts[] = {job->title, job->script, job->args, job->env, job->user, job->cwd,
		job->created_by, job->location};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		free(texts[i]);
	*job = (struct store_job){0};
}

void store_run_free(struct store_run *run)
{
	free(run->server_name);
	free(run->reason);
	*run = (struct store_run){0};
}

void store_job_page_free(struct store_job_page *page)
{
	for (size_t i = 0; i < page->count; i++)
		store_job_free(&page->rows[i]);
	free(page->rows);
	*page = (struct store_job_page){0};
}

void store_run_page_free(struct store_run_page *page)
{
	for (size_t i = 0; i < page->count; i++)
		store_run_free(&page->rows[i]);
	free(page->rows);
	free(page->next_cursor);
	*page = (struct store_run_page){0};
}

void store_activity_page_free(struct store_activity_page *page)
{
	for (size_t i = 0; i < page->count; i++) {
		struct store_activity *row = &page->rows[i];
		char *const texts[] = {row->id, row->job, row->title, row->by};
		for (size_t n = 0; n < sizeof texts / sizeof *texts; n++)
			free(texts[n]);
	}
	free(page->rows);
	free(page->next_cursor);
	*page = (struct store_activity_page){0};
}
